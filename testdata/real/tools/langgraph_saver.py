"""LangGraph's PostgresSaver: its tables, checkpoints written, read and listed, by blocking and by asynchronous calls."""

import asyncio
import os

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from world import show

dsn = ""  # libpq's environment says it all


def checkpoints(thread):
    parent = None
    for n in range(3):
        checkpoint = empty_checkpoint()
        checkpoint["id"] = f"1f0000-{thread}-{n}"
        checkpoint["ts"] = "2026-01-02T03:04:05+00:00"
        checkpoint["channel_values"] = {"messages": [f"message {i}" for i in range(n + 1)], "n": n}
        checkpoint["channel_versions"] = {"messages": f"{n + 1:032}.0", "n": f"{n + 1:032}.0"}
        config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
        if parent:
            config["configurable"]["checkpoint_id"] = parent
        parent = checkpoint["id"]
        yield config, checkpoint, {"source": "loop", "step": n, "writes": {}, "key": f"canary-md{n}"}


def told(found):
    return None if found is None else (found.config, found.checkpoint, sorted(found.metadata.items()), found.parent_config, found.pending_writes)


def blocking():
    with PostgresSaver.from_conn_string(dsn) as saver:
        saver.setup()
        saver.setup()
        for config, checkpoint, metadata in checkpoints("one"):
            put = saver.put(config, checkpoint, metadata, checkpoint["channel_versions"])
            saver.put_writes(put, [("n", checkpoint["channel_values"]["n"]), ("messages", ["x"])], task_id="task")
        config = {"configurable": {"thread_id": "one", "checkpoint_ns": ""}}
        show("get", told(saver.get_tuple(config)))
        show("list", [told(c) for c in saver.list(config)])
        show("filter", [c.config["configurable"]["checkpoint_id"] for c in saver.list(None, filter={"step": 1})])
        show("before", [told(c) for c in saver.list(config, before={"configurable": {"checkpoint_id": "1f0000-one-2"}}, limit=1)])
        saver.delete_thread("one")
        show("deleted", told(saver.get_tuple(config)))
    with PostgresSaver.from_conn_string(dsn, pipeline=True) as saver:
        for config, checkpoint, metadata in checkpoints("piped"):
            saver.put(config, checkpoint, metadata, checkpoint["channel_versions"])
        show("piped", told(saver.get_tuple({"configurable": {"thread_id": "piped", "checkpoint_ns": ""}})))


async def asynchronous():
    async with AsyncPostgresSaver.from_conn_string(dsn) as saver:
        await saver.setup()
        for config, checkpoint, metadata in checkpoints("two"):
            put = await saver.aput(config, checkpoint, metadata, checkpoint["channel_versions"])
            await saver.aput_writes(put, [("n", 7)], task_id="task")
        config = {"configurable": {"thread_id": "two", "checkpoint_ns": ""}}
        show("aget", told(await saver.aget_tuple(config)))
        show("alist", [told(c) async for c in saver.alist(config)])
        await saver.adelete_thread("two")
        show("adeleted", told(await saver.aget_tuple(config)))


blocking()
asyncio.run(asynchronous())
print("## host", os.environ["PGDATABASE"])
