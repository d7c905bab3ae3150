"""OpenAI's Python library through the gateway: plain, streamed, refused.

Reads the world from SALLYPORT_WORLD (JSON, see real_test.go); exits non-zero at the first surprise.
"""

import json
import os

import openai

world = json.loads(os.environ["SALLYPORT_WORLD"])
sent = []
client = openai.OpenAI(
    base_url=world["http"] + "/openai/v1",
    api_key=world["token"],
    http_client=openai.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request)]}),
)
messages = [{"role": "user", "content": "What is a sally port?"}]

reply = client.chat.completions.create(model=world["model"], messages=messages)
assert reply.choices[0].message.content == world["answer"], reply

pieces = []
usage = None
with client.chat.completions.create(
    model=world["model"], messages=messages, stream=True, stream_options={"include_usage": True}
) as events:
    for event in events:
        usage = event.usage or usage
        pieces += [c.delta.content for c in event.choices if c.delta.content]
assert len(pieces) > 1 and "".join(pieces) == world["answer"], pieces
assert usage.total_tokens == 28, usage

assert [m.id for m in client.models.list()] == [world["model"]]
assert len(client.embeddings.create(model=world["model"], input="x").data[0].embedding) == 3

# A refusal is final: the library's own class for 403, and no second try.
del sent[:]
try:
    client.chat.completions.create(model="dear-1", messages=messages)
except openai.PermissionDeniedError as e:
    assert e.status_code == 403, e.status_code
    assert "known-models" in e.message, e.message
else:
    raise AssertionError("not refused")
assert len(sent) == 1, f"{len(sent)} requests for one refusal"

# A wrong token is an authentication error, and is not tried again either.
del sent[:]
try:
    client.with_options(api_key="not-a-token").models.list()
except openai.AuthenticationError as e:
    assert "not-a-token" not in str(e), e
else:
    raise AssertionError("answered a wrong token")
assert len(sent) == 1, f"{len(sent)} requests for one wrong token"

print("ok: openai", openai.__version__)
