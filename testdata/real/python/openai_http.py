"""OpenAI's Python library against a peer that checks what comes: plain, streamed, with a tool, with the
provider's error, refused, cancelled; sync and async, chat completions and responses."""

import asyncio
import json

import openai
from common import raises, tool_schema, user, world

sent = []
client = openai.OpenAI(
    base_url=world["http"] + "/openai/v1",
    api_key=world["token"],
    http_client=openai.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request)]}),
)
model = world["openai"]
tools = [{"type": "function", "function": {"name": world["tool"], "parameters": tool_schema}}]


def ask(text, **more):
    return client.chat.completions.create(model=model, messages=user(text), **more)


assert ask("plain").choices[0].message.content == world["answer"]
with ask("plain", stream=True) as events:
    chunks = list(events)
assert all(c.choices for c in chunks), "a chunk that nobody asked for"
assert "".join(c.choices[0].delta.content or "" for c in chunks) == world["answer"], chunks

call = ask("plain", tools=tools).choices[0].message.tool_calls[0]
assert json.loads(call.function.arguments) == {"city": world["city"]}
with client.chat.completions.stream(model=model, messages=user("plain"), tools=tools) as stream:
    final = stream.get_final_completion()
assert json.loads(final.choices[0].message.tool_calls[0].function.arguments) == {"city": world["city"]}

assert client.responses.create(model=model, input="plain").output_text == world["answer"]
with client.responses.stream(model=model, input="plain") as stream:
    text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
    assert text == world["answer"] == stream.get_final_response().output_text, text

with raises(openai.BadRequestError, "the model failed", sent=sent):
    ask("fail")
for more in {}, {"stream": True}:
    with raises(openai.PermissionDeniedError, "known-models", sent=sent):
        client.chat.completions.create(model=world["denied"], messages=user("plain"), **more)

with ask("slow", stream=True) as events:
    for event in events:
        assert event.choices[0].delta.content == "Wait "
        break
with raises(openai.APITimeoutError):
    client.with_options(timeout=0.5, max_retries=0).chat.completions.create(model=model, messages=user("slow"))


async def asynchronous():
    async with openai.AsyncOpenAI(base_url=world["http"] + "/openai/v1", api_key=world["token"]) as c:
        stream = await c.chat.completions.create(model=model, messages=user("plain"), stream=True)
        assert "".join([e.choices[0].delta.content or "" async for e in stream]) == world["answer"]
        held = asyncio.create_task(c.chat.completions.create(model=model, messages=user("slow")))
        await asyncio.sleep(0.5)
        held.cancel()
        with raises(asyncio.CancelledError):
            await held


asyncio.run(asynchronous())
print("ok: openai", openai.__version__)
