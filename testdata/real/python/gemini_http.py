"""Google's Gemini library: plain, streamed, with a tool, with the provider's error, refused, cancelled."""

import importlib.metadata

from common import raises, tool_schema, world
from google import genai
from google.genai import errors, types

client = genai.Client(api_key=world["token"], http_options=types.HttpOptions(base_url=world["http"] + "/gemini"))
model = world["gemini"]

assert client.models.generate_content(model=model, contents="plain").text == world["answer"]
assert "".join(c.text for c in client.models.generate_content_stream(model=model, contents="plain")) == world["answer"]

tools = [types.Tool(function_declarations=[{"name": world["tool"], "description": "the weather", "parameters_json_schema": tool_schema}])]
called = client.models.generate_content(model=model, contents="plain", config=types.GenerateContentConfig(tools=tools))
assert called.function_calls[0].args == {"city": world["city"]}, called

with raises(errors.ClientError, "the model failed"):
    client.models.generate_content(model=model, contents="fail")
with raises(errors.ClientError, "403", "PERMISSION_DENIED", "known-models"):
    client.models.generate_content(model=world["denied"], contents="plain")

stream = client.models.generate_content_stream(model=model, contents="slow")
next(stream)
stream.close()
client.close()
print("ok: google-genai", importlib.metadata.version("google-genai"))
