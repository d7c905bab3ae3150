"""psycopg through the gateway: plain, prepared, binary, in transactions and pipelines.

Reads the world from SALLYPORT_WORLD (JSON, see real_test.go); exits non-zero at the first surprise.
"""

import json
import os

import psycopg
from psycopg import errors

world = json.loads(os.environ["SALLYPORT_WORLD"])
dsn = psycopg.conninfo.make_conninfo(
    host=world["host"], port=world["port"], dbname="shop", user="agent", password=world["token"], sslmode="disable"
)


def unseen(rows):
    text = repr(rows)
    for secret in world["secrets"]:
        assert secret not in text, f"a protected value came back: {text}"


def refused(conn, sql, rule):
    try:
        conn.execute(sql)
    except errors.InsufficientPrivilege as e:
        assert e.sqlstate == "42501", e.sqlstate
        assert f'refused by rule "{rule}"' in e.diag.message_primary, e.diag.message_primary
        assert e.diag.severity == "ERROR", e.diag.severity
    else:
        raise AssertionError(f"not refused: {sql}")


# Autocommit: each statement by itself, and the session outlives a refusal.
with psycopg.connect(dsn, autocommit=True) as conn:
    for binary in (False, True):
        for prepare in (False, True):
            with conn.cursor(binary=binary) as cur:
                cur.execute("SELECT id, name, email, password, api_key FROM users WHERE id < %s ORDER BY id", (4,), prepare=prepare)
                rows = cur.fetchall()
                assert [(r[0], r[1]) for r in rows] == [(1, "Ada"), (2, "Ben"), (3, "Cleo")], rows
                assert all(r[2] and r[3] for r in rows), rows
                assert rows[2][4] is None, "a mask must leave NULL as NULL"
                unseen(rows)
    total = conn.execute("SELECT sum(total) FROM orders").fetchone()
    assert str(total[0]) == "369.00", total
    refused(conn, "DROP TABLE secrets", "no-destructive")
    refused(conn, "UPDATE orders SET status = 'new'", "where-required")
    refused(conn, "DELETE FROM order_items", "where-required")
    assert conn.execute("SELECT 1").fetchone() == (1,)

# In a transaction a refusal fails it, as a server's error does.
with psycopg.connect(dsn) as conn:
    conn.execute("UPDATE orders SET status = 'returned' WHERE id = 2")
    refused(conn, "TRUNCATE orders", "no-destructive")
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    try:
        conn.execute("SELECT 1")
    except errors.InFailedSqlTransaction:
        pass
    else:
        raise AssertionError("the transaction went on after a refusal")
    conn.rollback()
    assert conn.execute("SELECT status FROM orders WHERE id = 2").fetchone() == ("paid",)
    # A savepoint takes a refusal back.
    try:
        with conn.transaction():
            conn.execute("DROP TABLE orders")
    except errors.InsufficientPrivilege:
        pass
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (5,)

# In a pipeline what follows the refusal is skipped, and the rest of the session is not.
with psycopg.connect(dsn, autocommit=True) as conn:
    try:
        with conn.pipeline():
            first = conn.execute("SELECT password FROM users ORDER BY id")
            conn.execute("DROP TABLE secrets")
            conn.execute("SELECT 2")
    except (errors.InsufficientPrivilege, psycopg.errors.PipelineAborted):
        pass
    else:
        raise AssertionError("not refused in a pipeline")
    unseen(first.fetchall())
    assert conn.execute("SELECT 3").fetchone() == (3,)

# A wrong token gets in nowhere.
try:
    psycopg.connect(dsn, password="not-a-token").close()
except psycopg.OperationalError as e:
    assert "not-a-token" not in str(e), e
else:
    raise AssertionError("logged in with a wrong token")

print("ok: psycopg", psycopg.__version__)
