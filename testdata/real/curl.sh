# curl on a plain API and on a model's: JSON, upload, stream, refusal, cancelled.
set -euo pipefail
trap 'echo "line $LINENO failed" >&2' ERR
get() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$SALLYPORT_WORLD"; }
at=$(get http) token=$(get token) mark=$(get mark) model=$(get openai)
curl() { command curl -sS --max-time 30 "$@"; }
auth=(-H "Authorization: Bearer $token")

curl "${auth[@]}" "$at/rest/items" | grep -qF "\"email\":\"$mark\""
curl -u "agent:$token" -T - "$at/rest/items/1" <<<'hello' | grep -qF '"method":"PUT"'
curl "${auth[@]}" -L "$at/rest/moved" | grep -qF '"path":"/items/7"'
curl "${auth[@]}" -F 'f=hello' "$at/rest/items" | grep -qF '"method":"POST"'
[ "$(curl "${auth[@]}" -N "$at/rest/stream")" = "$(get answer)" ]
[ "$(curl "${auth[@]}" -o /dev/null -w '%{http_code} %{content_type}' -X DELETE "$at/rest/items/1")" = '403 application/problem+json' ]
[ "$(curl -o /dev/null -w '%{http_code}' "$at/rest/items")" = 401 ]
curl "${auth[@]}" --path-as-is -o /dev/null -w '%{http_code}' "$at/rest/../openai/v1/models" | grep -q 400
curl "${auth[@]}" -N -H 'Content-Type: application/json' "$at/openai/v1/chat/completions" \
	-d '{"model":"'"$model"'","stream":true,"messages":[{"role":"user","content":"plain"}]}' | grep -qF 'data: [DONE]'
chat() { curl "${auth[@]}" -N -H 'Content-Type: application/json' "$at/openai/v1/chat/completions" -d '{"model":"'"$1"'",'"$2"'"messages":[{"role":"user","content":"'"$3"'"}]}'; }
tools='"tools":[{"type":"function","function":{"name":"'"$(get tool)"'","parameters":{"type":"object"}}}],'
chat "$model" '' plain | grep -F "$mark" >/dev/null
chat "$model" "$tools" plain | grep -F '\"city\":\"'"$(get city)"'\"' >/dev/null
chat "$model" "$tools\"stream\":true," plain | grep -F '"finish_reason":"tool_calls"' >/dev/null
chat "$model" '' fail | grep -F 'the model failed' >/dev/null
chat "$(get denied)" '' plain | grep -F 'known-models' >/dev/null
[ "$(curl "${auth[@]}" -o /dev/null -w '%{http_code}' "$at/rest/fail")" = 503 ]
! command curl -sS --max-time 1 "${auth[@]}" -N "$at/rest/slow" >/dev/null 2>&1
echo "ok: $(command curl --version | head -1 | cut -d' ' -f1-2)"
