"""OpenAI's Python library on the Realtime API: text in deltas, a tool, the provider's error, refused, cancelled."""

import json

import openai
from common import raises, tool_schema, world
from websockets.exceptions import InvalidStatus

client = openai.OpenAI(base_url=world["http"] + "/openai/v1", api_key=world["token"])
tools = [{"type": "function", "name": world["tool"], "parameters": tool_schema}]


def ask(connection, text, **response):
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
    connection.response.create(response=response)


with client.realtime.connect(model="gpt-realtime") as connection:
    assert connection.recv().type == "session.created"
    for _ in range(2):
        ask(connection, "plain")
        deltas, done = "", ""
        for event in connection:
            if event.type == "response.output_text.delta":
                deltas += event.delta
            if event.type == "response.output_text.done":
                done = event.text
            if event.type == "response.done":
                break
        assert deltas == done == world["answer"], (deltas, done)
    ask(connection, "plain", tools=tools)
    for event in connection:
        if event.type == "response.function_call_arguments.done":
            assert json.loads(event.arguments) == {"city": world["city"]}, event
        if event.type == "response.done":
            break
    ask(connection, "fail")
    event = connection.recv()
    assert event.type == "error" and event.error.message == "the model failed", event

with client.realtime.connect(model="gpt-realtime") as connection:
    connection.recv()
    ask(connection, "slow")
    assert connection.recv().delta == "Wait "

with raises(InvalidStatus, "403"):
    client.realtime.connect(model=world["denied"]).enter()
with raises(InvalidStatus, "401"):
    client.with_options(api_key="nobody").realtime.connect(model="gpt-realtime").enter()
print("ok: openai", openai.__version__)
