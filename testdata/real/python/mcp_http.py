"""The MCP SDK's Python client against a server of the SDK: list, call, refusal, tool's error, cancel; by the
handshake of older versions, and without."""

import asyncio
import importlib.metadata

import httpx2
from common import raises, world
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError


async def session(mode):
    auth = {"Authorization": "Bearer " + world["token"]}
    async with httpx2.AsyncClient(headers=auth, timeout=30) as http:
        transport = streamable_http_client(world["http"] + "/files/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            names = sorted(t.name for t in (await client.list_tools()).tools)
            assert names == ["count", "fail", "read", "wait"], names
            result = await client.call_tool("read", {"path": "/work/a"})
            assert result.content[0].text == "/work/a: " + world["answer"], result
            with raises(MCPError, "no-delete"):
                await client.call_tool("delete", {"path": "/work/a"})
            assert (await client.call_tool("fail", {})).is_error
            told = []

            async def progress(n, total, message):
                told.append((n, message))

            result = await client.call_tool("count", {}, progress_callback=progress)
            assert result.content[0].text == "done", result
            assert told == [(n, world["answer"]) for n in (1, 2, 3)], told
            with raises((asyncio.TimeoutError, asyncio.CancelledError)):
                await asyncio.wait_for(client.call_tool("wait", {}), 0.5)
            result = await client.call_tool("read", {"path": "/"})
            assert result.content[0].text == "/: " + world["answer"], result


for mode in "legacy", "auto":
    asyncio.run(session(mode))
print("ok: mcp", importlib.metadata.version("mcp"))
