"""LangChain's SQLDatabase and its tools, as an agent calls them."""

from world import show, url
from langchain_community.tools.sql_database.tool import InfoSQLDatabaseTool, ListSQLDatabaseTool, QuerySQLDatabaseTool
from langchain_community.utilities import SQLDatabase

for driver in ("psycopg", "psycopg_views"):
    db = SQLDatabase.from_uri(url("psycopg"), view_support=driver == "psycopg_views", sample_rows_in_table_info=2, indexes_in_table_info=True)
    show(driver + " dialect", db.dialect)
    show(driver + " tables", sorted(db.get_usable_table_names()))
    show(driver + " info", db.get_table_info())

db = SQLDatabase.from_uri(url("psycopg"), include_tables=["customers", "orders"])
show("list", ListSQLDatabaseTool(db=db).invoke(""))
show("info", InfoSQLDatabaseTool(db=db).invoke("customers, orders"))
show("info of nothing", InfoSQLDatabaseTool(db=db).invoke("nothing"))
query = QuerySQLDatabaseTool(db=db)
for sql in (
    "SELECT name, password FROM customers ORDER BY id",
    "SELECT * FROM customers ORDER BY id LIMIT 10",
    "SELECT c.name, count(*), sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name ORDER BY 1",
    "SELECT profile->>'city' AS city FROM customers ORDER BY id",
    "WITH best AS (SELECT customer_id FROM orders ORDER BY total DESC LIMIT 1) SELECT name FROM customers WHERE id IN (SELECT customer_id FROM best)",
    "SELECT greeting('Ada')",
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position",
    "SELECT nothing FROM customers",
    "SELEC 1",
    "INSERT INTO orders (customer_id, total) VALUES (2, 5) RETURNING id, total",
    "SELECT count(*) FROM orders",
):
    show(sql, query.invoke(sql))
show("one", db.run("SELECT name, api_key FROM customers WHERE id = 1", fetch="one", include_columns=True))
show("parameters", db.run("SELECT name FROM customers WHERE id = :id", parameters={"id": 2}))
