#!/usr/bin/env bash
# Measures the HTTP side beside nginx (Debian), Portkey's gateway (npm) and LiteLLM's proxy (PyPI): internal/httpbench.
# They are installed once into ${XDG_CACHE_HOME:-~/.cache}/sallyport-test. As root all runs in a network namespace of its
# own, since Portkey listens at every address; elsewhere Portkey is left out.
#
#   scripts/bench-http.sh [flags of httpbench]     -rounds 1 -turn 500ms: four minutes; -before BINARY: beside another sallyport
set -euo pipefail
cd "$(dirname "$0")/.."

portkey_version=1.15.2
litellm_version=1.106.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sallyport-test
mkdir -p "$cache"

have() { command -v "$1" >/dev/null 2>&1; }

if ! have nginx && [ "$(id -u)" = 0 ] && have apt-get; then
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nginx-light
fi
have nginx || { echo "bench-http: nginx is missing; on Debian: apt-get install nginx-light" >&2; exit 1; }

portkey=$cache/portkey-$portkey_version
if [ ! -e "$portkey/ready" ]; then
	rm -rf "$portkey" && mkdir -p "$portkey"
	# Without the overrides every stream of it breaks.
	echo '{"dependencies":{"@portkey-ai/gateway":"'$portkey_version'"},"overrides":{"hono":"4.9.7","@hono/node-server":"1.14.0"}}' >"$portkey/package.json"
	(cd "$portkey" && npm install --silent --no-audit --no-fund --ignore-scripts)
	touch "$portkey/ready"
fi
litellm=$cache/litellm-$litellm_version
if [ ! -e "$litellm/ready" ]; then
	rm -rf "$litellm" && python3 -m venv "$litellm"
	"$litellm/bin/pip" install --quiet --only-binary :all: "litellm[proxy]==$litellm_version"
	touch "$litellm/ready"
fi

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -trimpath -o "$bin/sallyport" ./cmd/sallyport
go build -trimpath -o "$bin/httpbench" ./internal/httpbench
run=("$bin/httpbench" -sallyport "$bin/sallyport" -litellm "$litellm/bin/litellm")
if [ "$(id -u)" = 0 ] && have unshare && have ip; then
	unshare --net bash -c 'ip link set lo up && exec "$@"' - "${run[@]}" -portkey "$portkey" "$@"
else
	echo "bench-http: not root: Portkey is left out, it would listen at every address" >&2
	"${run[@]}" "$@"
fi
