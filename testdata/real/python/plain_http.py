"""httpx, requests and aiohttp on a plain API: JSON, a text that streams, uploads, errors, refusals, cancelled."""

import asyncio

import aiohttp
import httpx
import requests
from common import raises, world

base = world["http"] + "/rest"
auth = {"Authorization": "Bearer " + world["token"]}
text = world["answer"]


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
