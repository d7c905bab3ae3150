"""A server of the MCP SDK, streamable HTTP, that wants its key. Prints its port, then a line for each request
that lacks the key or holds the gateway's token. Ends with its standard input."""

import asyncio
import os
import socket
import sys
import threading

import uvicorn
from common import world
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("files")


@server.tool()
def read(path: str) -> str:
    return f"{path}: {world['answerRaw']}"


@server.tool()
def delete(path: str) -> str:
    print("delete was called", flush=True)
    return ""


@server.tool()
async def count(ctx: Context) -> str:
    for n in 1, 2, 3:
        await ctx.report_progress(n, 3, world["answerRaw"])
    return "done"


@server.tool()
def fail() -> str:
    raise ValueError("the tool failed")


@server.tool()
async def wait() -> str:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise
    return ""


app = server.streamable_http_app()


async def checked(scope, receive, send):
    if scope["type"] == "http":
        headers = dict(scope["headers"])
        if headers.get(b"authorization") != b"Bearer " + os.environ["SALLYPORT_MCP_KEY"].encode():
            print("wrong key", flush=True)
        if world["token"].encode() in b"".join(k + v for k, v in scope["headers"]):
            print("the token came", flush=True)
    await app(scope, receive, send)


listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
uvicorn.Server(uvicorn.Config(checked, log_level="error", lifespan="on")).run(sockets=[listener])
