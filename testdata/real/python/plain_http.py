"""httpx, requests and aiohttp on a plain API: JSON, a text that streams, uploads, errors, refusals, cancelled."""

import asyncio
import json

import aiohttp
import httpx
import requests
from common import raises, tool_schema, user, world

base = world["http"] + "/rest"
auth = {"Authorization": "Bearer " + world["token"]}
text = world["answer"]


# A model's API without a library: plain, streamed, with a tool, with the provider's error, refused.
chat = world["http"] + "/openai/v1/chat/completions"
tools = [{"type": "function", "function": {"name": world["tool"], "parameters": tool_schema}}]


def ask(text="plain", **more):
    return {"model": world["openai"], "messages": user(text), **more}


def model_answers(post):
    """post gives status and text."""
    message = lambda body: json.loads(body)["choices"][0]["message"]  # noqa: E731
    assert message(post(ask())[1])["content"] == text
    called = message(post(ask(tools=tools))[1])["tool_calls"][0]["function"]
    assert json.loads(called["arguments"]) == {"city": world["city"]}, called
    for more, part, whole in ({}, lambda d: d.get("content") or "", text), (
        {"tools": tools},
        lambda d: "".join(c["function"]["arguments"] for c in d.get("tool_calls", [])),
        json.dumps({"city": world["city"]}, separators=(",", ":")),
    ):
        _, body = post(ask(stream=True, **more))
        data = [line[6:] for line in body.splitlines() if line.startswith("data: ")]
        assert data.pop() == "[DONE]", body
        assert "".join(part(json.loads(d)["choices"][0]["delta"]) for d in data) == whole, body
    status, body = post(ask("fail"))
    assert status == 400 and "the model failed" in body, body
    status, body = post({**ask(), "model": world["denied"]})
    assert status == 403 and "known-models" in body, body


def refused(status, problem):
    assert status == 403 and problem["status"] == 403 and "no-drop" in problem["detail"] + problem.get("rule", ""), problem


with httpx.Client(base_url=base, headers=auth, follow_redirects=True) as c:
    assert c.get("/items").json()["email"] == world["mark"]
    assert c.post("/items", json={"a": 1}).json()["got"] == '{"a":1}'
    assert c.get("/moved").json()["path"] == "/items/7"
    with c.stream("GET", "/stream") as r:
        assert "".join(r.iter_text()) == text
    assert c.get("/fail").status_code == 503
    r = c.delete("/items/1")
    refused(r.status_code, r.json())
    assert c.get("/items", headers={"Authorization": "Bearer nobody"}).status_code == 401
    with c.stream("GET", "/slow") as r:
        next(r.iter_text())
    model_answers(lambda body: (lambda r: (r.status_code, r.text))(c.post(chat, json=body)))
    with raises(httpx.TimeoutException):
        with c.stream("GET", "/slow", timeout=0.5) as r:
            list(r.iter_text())

with requests.Session() as s:
    s.headers.update(auth)
    assert s.get(base + "/items").json()["email"] == world["mark"]
    assert s.put(base + "/items/1", data="x=1").json()["got"] == "x=1"
    assert s.get(base + "/moved").json()["path"] == "/items/7"
    assert s.post(base + "/items", files={"f": ("f.txt", b"hello")}).status_code == 200
    with s.get(base + "/stream", stream=True) as r:
        assert "".join(r.iter_lines(decode_unicode=True)) == text
    r = s.delete(base + "/items/1")
    refused(r.status_code, r.json())
    with s.get(base + "/slow", stream=True) as r:
        next(r.iter_lines())
    model_answers(lambda body: (lambda r: (r.status_code, r.text))(s.post(chat, json=body)))
    assert s.get(base + "/fail").status_code == 503
    with raises(requests.Timeout):
        s.post(chat, json=ask("slow"), timeout=0.5)
    # As a user's password, in the address.
    assert requests.get(base.replace("://", f"://agent:{world['token']}@") + "/items").json()["email"] == world["mark"]


async def with_aiohttp():
    async with aiohttp.ClientSession(headers=auth) as s:
        async with s.get(base + "/items") as r:
            assert (await r.json())["email"] == world["mark"]
        async with s.get(base + "/stream") as r:
            assert "".join([c async for c in aiter_text(r)]) == text
        async with s.delete(base + "/items/1") as r:
            refused(r.status, await r.json(content_type=None))
        async with s.get(base + "/slow") as r:
            await r.content.readline()

        async with s.get(base + "/fail") as r:
            assert r.status == 503

        async def post(body):
            async with s.post(chat, json=body) as r:
                return r.status, await r.text()

        # One after the other, from the function that does not wait.
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(model_answers, lambda body: asyncio.run_coroutine_threadsafe(post(body), loop).result())
        with raises((asyncio.TimeoutError, aiohttp.ServerTimeoutError)):
            await s.post(chat, json=ask("slow"), timeout=aiohttp.ClientTimeout(total=0.5))

        async def upload():
            for _ in range(3):
                yield b"piece "

        async with s.post(base + "/items", data=upload()) as r:
            assert (await r.json())["got"] == "piece " * 3


async def aiter_text(r):
    async for chunk in r.content.iter_any():
        yield chunk.decode()


asyncio.run(with_aiohttp())
print("ok: httpx", httpx.__version__, "requests", requests.__version__, "aiohttp", aiohttp.__version__)
