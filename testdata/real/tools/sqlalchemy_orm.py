"""SQLAlchemy: reflection, the ORM, COPY by its driver, and Alembic's autogenerate."""

import asyncio

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from world import show, url


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    password: Mapped[str]
    api_key: Mapped[str | None]
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")

    def __repr__(self):
        return f"Customer({self.name!r}, {self.email!r}, {self.password!r}, {self.api_key!r})"


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(server_default="new")
    total: Mapped[float]
    customer: Mapped[Customer] = relationship(back_populates="orders")

    def __repr__(self):
        return f"Order({self.status!r}, {self.total!r})"


def sorted_by_name(found):
    return sorted(found, key=lambda x: str(x.get("name")))


for driver in ("psycopg", "asyncpg"):
    if driver == "asyncpg":
        engine = create_async_engine(url(driver))
    else:
        engine = sa.create_engine(url(driver))

    def inspect(connection):
        inspector = sa.inspect(connection)
        show(driver + " schemas", sorted(inspector.get_schema_names()))
        show(driver + " tables", sorted(inspector.get_table_names()))
        show(driver + " views", sorted(inspector.get_view_names()) + sorted(inspector.get_materialized_view_names()))
        show(driver + " definition", inspector.get_view_definition("open_orders"))
        show(driver + " sequences", sorted(inspector.get_sequence_names()))
        show(driver + " enums", inspector.get_enums())
        show(driver + " domains", inspector.get_domains())
        for table in sorted(inspector.get_table_names()):
            show(f"{driver} {table} columns", inspector.get_columns(table))
            show(f"{driver} {table} key", inspector.get_pk_constraint(table))
            show(f"{driver} {table} foreign keys", sorted_by_name(inspector.get_foreign_keys(table)))
            show(f"{driver} {table} indexes", sorted_by_name(inspector.get_indexes(table)))
            show(f"{driver} {table} unique", sorted_by_name(inspector.get_unique_constraints(table)))
            show(f"{driver} {table} checks", sorted_by_name(inspector.get_check_constraints(table)))
            show(f"{driver} {table} comment", inspector.get_table_comment(table))

    if driver == "asyncpg":

        async def read():
            async with engine.connect() as connection:
                await connection.run_sync(inspect)
                result = await connection.execute(sa.select(Customer.name, Customer.password).where(Customer.id > sa.bindparam("id")), {"id": 1})
                show("asyncpg rows", sorted(tuple(r) for r in result))
            await engine.dispose()

        asyncio.run(read())
    else:
        with engine.connect() as connection:
            inspect(connection)

engine = sa.create_engine(url("psycopg"))
with Session(engine) as session:
    session.add(Customer(name="Dora", email="dora@example.com", password="canary-nw1", orders=[Order(total=1), Order(total=2, status="paid")]))
    session.commit()
    for customer in session.scalars(sa.select(Customer).options(selectinload(Customer.orders)).order_by(Customer.id)):
        show("customer", (customer, customer.orders))
    dora = session.scalars(sa.select(Customer).where(Customer.name == "Dora")).one()
    dora.name = "Dorothy"
    session.flush()
    show("sums", session.execute(sa.select(Customer.name, sa.func.sum(Order.total)).join(Order).group_by(Customer.name).order_by(Customer.name)).all())
    show("by password", session.scalars(sa.select(Customer.name).where(Customer.password == "canary-nw1")).all())
    session.rollback()
    for order in list(dora.orders):
        session.delete(order)
    session.delete(dora)
    session.commit()
    show("left", session.scalar(sa.select(sa.func.count()).select_from(Customer)))

with engine.begin() as connection:
    many = [{"at": f"2026-02-{n:02}", "what": f"event {n}"} for n in range(1, 29)]
    connection.execute(sa.text("insert into events values (:at, :what)"), many)
    with connection.connection.cursor() as cursor, cursor.copy("copy customers (id, name, password) to stdout") as copy:
        show("copied", b"".join(bytes(piece) for piece in copy).decode())
    with connection.execution_options(stream_results=True).execute(sa.text("select at, what from events order by at")) as rows:
        show("streamed", [tuple(r) for r in rows][:3])

Auto = automap_base()
Auto.prepare(autoload_with=engine)
show("mapped", sorted(Auto.classes.keys()))

reflected = sa.MetaData()
reflected.reflect(bind=engine, views=True)
show("reflected", sorted(reflected.tables))
with engine.connect() as connection:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    plain = sa.MetaData()
    plain.reflect(bind=connection)
    show("no difference", compare_metadata(context, plain))
    code = render_python_code(produce_migrations(context, Base.metadata).upgrade_ops)
    show("differences", "\n".join(sorted(code.splitlines())))
    connection.rollback()
with engine.begin() as connection:
    operations = Operations(MigrationContext.configure(connection))
    operations.create_table("notes", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text, nullable=False))
    operations.add_column("notes", sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id")))
    operations.create_index("notes_by_customer", "notes", ["customer_id"])
    operations.bulk_insert(sa.table("notes", sa.column("text")), [{"text": "one"}, {"text": "two"}])
    operations.alter_column("notes", "text", new_column_name="body", type_=sa.String(100), existing_type=sa.Text())
    show("notes", connection.execute(sa.text("select * from notes order by id")).all())
    operations.drop_table("notes")
