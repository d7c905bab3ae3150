"""Statements that time out and are cancelled, in many connections at once, each followed at once by others.

No cancel may hit a statement it was not meant for: each that is to end by itself must, with its own result.
Prints what went wrong under "## NAME", and nothing else that changes from run to run.
"""

import asyncio
import os

import asyncpg
import psycopg

ROUNDS, CONNECTIONS = 40, 8


async def asyncpg_timeouts(number, wrong):
    conn = await asyncpg.connect(ssl=False, statement_cache_size=0 if number % 2 else 100)
    for n in range(ROUNDS):
        # As near to the statement's end as can be: both outcomes are right, a later statement's failure is not.
        seconds = 0.02 if n % 3 else 30
        try:
            await conn.execute(f"select pg_sleep({seconds})", timeout=0.02)
        except asyncio.TimeoutError:
            pass
        except Exception as e:  # noqa: BLE001
            wrong.append(f"asyncpg sleeping: {type(e).__name__} {e}")
        for i in range(4):
            try:
                got = await conn.fetchval("select $1::int * 2", n + i)
                if got != 2 * (n + i):
                    wrong.append(f"asyncpg got {got}")
            except Exception as e:  # noqa: BLE001
                wrong.append(f"asyncpg after: {type(e).__name__} {e}")
    await conn.close()


async def psycopg_cancels(number, wrong):
    conn = await psycopg.AsyncConnection.connect("", autocommit=True)
    for n in range(ROUNDS):
        seconds = 0.02 if n % 3 else 30
        sleeping = asyncio.create_task(conn.execute(f"select pg_sleep({seconds})"))
        await asyncio.sleep(0.02)
        try:
            await conn.cancel_safe(timeout=30)
            await sleeping
        except psycopg.errors.QueryCanceled:
            pass
        except Exception as e:  # noqa: BLE001
            wrong.append(f"psycopg sleeping: {type(e).__name__} {e}")
        for i in range(4):
            try:
                (got,) = await (await conn.execute("select %s::int * 2", (n + i,))).fetchone()
                if got != 2 * (n + i):
                    wrong.append(f"psycopg got {got}")
            except psycopg.Error as e:
                wrong.append(f"psycopg after: {type(e).__name__} {e}")
    await conn.close()


async def bystander(stop, wrong):
    """Never cancelled."""
    conn = await asyncpg.connect(ssl=False)
    n = 0
    while not stop.is_set():
        n += 1
        try:
            if await conn.fetchval("select $1::int from pg_sleep(0.01)", n) != n:
                wrong.append("bystander: another's result")
        except Exception as e:  # noqa: BLE001
            wrong.append(f"bystander: {type(e).__name__} {e}")
    await conn.close()


async def main():
    for name, work in (("asyncpg", asyncpg_timeouts), ("psycopg", psycopg_cancels)):
        wrong, stop = [], asyncio.Event()
        others = [asyncio.create_task(bystander(stop, wrong)) for _ in range(4)]
        await asyncio.wait_for(asyncio.gather(*(work(number, wrong) for number in range(CONNECTIONS))), 240)
        stop.set()
        await asyncio.gather(*others)
        print(f"## {name}\n{ROUNDS * CONNECTIONS} cancels, {len(wrong)} hits of others\n" + "\n".join(sorted(set(wrong))))


os.environ.setdefault("PGSSLMODE", "disable")
asyncio.run(main())
