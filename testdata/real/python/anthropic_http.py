"""Anthropic's Python library: plain, streamed, with a tool, with the provider's error, refused, cancelled."""

import anthropic
from common import raises, tool_schema, user, world

sent = []
client = anthropic.Anthropic(
    base_url=world["http"] + "/anthropic",
    api_key=world["token"],
    http_client=anthropic.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request)]}),
)
ask = {"model": world["anthropic"], "max_tokens": 100}
tools = [{"name": world["tool"], "input_schema": tool_schema}]

plain = client.messages.create(messages=user("plain"), **ask)
assert plain.content[0].text == world["answer"] and plain.usage.output_tokens == 19, plain
with client.messages.stream(messages=user("plain"), **ask) as stream:
    text = "".join(stream.text_stream)
    assert text == world["answer"] == stream.get_final_message().content[0].text, text

with client.messages.stream(messages=user("plain"), tools=tools, **ask) as stream:
    called = stream.get_final_message()
assert called.content[0].input == {"city": world["city"]}, called
result = {"type": "tool_result", "tool_use_id": called.content[0].id, "content": "sunny"}
messages = user("plain") + [{"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
assert client.messages.create(messages=messages, tools=tools, **ask).content[0].text == world["answer"]

with raises(anthropic.BadRequestError, "the model failed", sent=sent):
    client.messages.create(messages=user("fail"), **ask)
with raises(anthropic.PermissionDeniedError, "known-models", sent=sent):
    client.messages.create(messages=user("plain"), **{**ask, "model": world["denied"]})

with client.messages.create(messages=user("slow"), stream=True, **ask) as events:
    for event in events:
        if event.type == "content_block_delta":
            break
with raises(anthropic.APITimeoutError):
    client.with_options(timeout=0.5, max_retries=0).messages.create(messages=user("slow"), **ask)

# A client that holds a bearer token, as for a gateway, does as well.
bearer = anthropic.Anthropic(base_url=world["http"] + "/anthropic", auth_token=world["token"], api_key=None)
assert bearer.messages.create(messages=user("plain"), **ask).content[0].text == world["answer"]
print("ok: anthropic", anthropic.__version__)
