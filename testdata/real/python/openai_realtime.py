"""OpenAI's Python library on the Realtime API: text in deltas, a tool, the provider's error, refused, cancelled; and its
responses over a WebSocket."""

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
    # A rule denies the tool; the session goes on.
    dropping = [{**tools[0], "name": world["deniedTool"]}]
    connection.session.update(event_id="event_7", session={"type": "realtime", "tools": dropping})
    event = connection.recv()
    assert event.type == "error" and event.error.event_id == "event_7" and "no-drop-tool" in event.error.message, event
    ask(connection, "plain", tools=dropping)
    event = connection.recv()
    assert event.type == "error" and "no-drop-tool" in event.error.message, event
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

# Responses over a WebSocket: each names its own model.
with client.responses.connect() as connection:
    for model in "gpt-5-mini", world["denied"], "gpt-5-mini":
        connection.response.create(model=model, input="plain")
        for event in connection:
            if event.type == "error":
                assert model == world["denied"] and "known-models" in event.message, event
                break
            if event.type == "response.completed":
                assert model != world["denied"] and event.response.output_text == world["answer"], event
                break
    connection.response.create(model="gpt-5-mini", input="plain", tools=dropping)
    event = connection.recv()
    assert event.type == "error" and "no-drop-tool" in event.message, event
print("ok: openai", openai.__version__)
