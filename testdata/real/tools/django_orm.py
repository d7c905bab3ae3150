"""Django: its own migrations, models, aggregates, and inspectdb."""

import io
import os
import sys

import django
from django.conf import settings
from world import show

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.UnsaltedMD5PasswordHasher"] if django.VERSION < (5, 1) else ["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
        }
    },
)
django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Avg, Count, F, OuterRef, Q, Subquery, Sum, Window  # noqa: E402
from django.db.models.functions import Rank, Upper  # noqa: E402
from shop.models import Customer, Order  # noqa: E402


def command(*args, **options):
    out = io.StringIO()
    call_command(*args, stdout=out, no_color=True, **options)
    return out.getvalue()


if sys.argv[1:] == ["migrate"]:
    command("migrate")
    sys.exit()
show("inspectdb", command("inspectdb", "customers", "orders", "events", "open_orders", "totals", include_views=True, include_partitions=True))
show("migrate", command("migrate", verbosity=1, interactive=False))
show("showmigrations", command("showmigrations"))
show("check", command("check", databases=["default"]))
show("sqlmigrate", command("sqlmigrate", "auth", "0001"))
show("tables", sorted(connection.introspection.table_names()))
with connection.cursor() as cursor:
    for table in ("auth_user", "customers"):
        show(table + " constraints", sorted((k, str(v)) for k, v in connection.introspection.get_constraints(cursor, table).items()))
        show(table + " description", connection.introspection.get_table_description(cursor, table))
        show(table + " sequences", connection.introspection.get_sequences(cursor, table))

show("permissions", Permission.objects.count())
group = Group.objects.create(name="agents")
group.permissions.add(*Permission.objects.order_by("id")[:3])
user = User(username="ada", email="ada@example.com", password="canary-au1")
user.save()
user.groups.add(group)
User.objects.bulk_create([User(username=f"user{n}", password=f"canary-bk{n}", is_staff=n % 2 == 0) for n in range(5)])
User.objects.filter(username="user4").update(first_name="Four")
show("user", User.objects.filter(username="ada").values_list("username", "email", "password", "is_staff").get())
show("users", list(User.objects.order_by("id").values("username", "password", "first_name")))
show("staff", User.objects.filter(Q(is_staff=True) | Q(username__startswith="ad")).count())
show("exists", User.objects.filter(groups__permissions__isnull=False).exists())
loaded = User.objects.get(username="user1")
loaded.first_name = "One"
loaded.save(update_fields=["first_name"])

show("customers", [(c.name, c.password, c.api_key, c.profile.get("city")) for c in Customer.objects.order_by("id")])
show("aggregate", Order.objects.aggregate(Sum("total"), Avg("total"), Count("customer", distinct=True)))
show("annotated", list(Customer.objects.annotate(n=Count("orders"), spent=Sum("orders__total")).values_list("name", "n", "spent").order_by("name")))
latest = Order.objects.filter(customer=OuterRef("pk")).order_by("-id")
show("subquery", list(Customer.objects.annotate(last=Subquery(latest.values("status")[:1])).values_list("name", "last").order_by("name")))
show("window", list(Order.objects.annotate(rank=Window(Rank(), order_by=F("total").desc())).values_list("total", "rank").order_by("rank")))
show("json", list(Customer.objects.filter(profile__city="Oslo").values_list("name", flat=True)))
show("upper", list(Customer.objects.annotate(shout=Upper("name")).values_list("shout", flat=True).order_by("id")))
show("related", [(o.customer.name, o.total) for o in Order.objects.select_related("customer").order_by("id")])
show("prefetched", [(c.name, [str(o.total) for o in c.orders.all()]) for c in Customer.objects.prefetch_related("orders").order_by("id")])
show("iterator", [c.name for c in Customer.objects.order_by("id").iterator(chunk_size=2)])
try:
    with transaction.atomic():
        order, _ = Order.objects.get_or_create(customer_id=2, total=7, defaults={"status": "paid"})
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=order.pk).delete()
        raise KeyError("back")
except KeyError:
    show("rolled back", Order.objects.count())
show("explain", "Seq Scan" in Order.objects.all().explain())
show("raw", [c.name for c in Customer.objects.raw("select * from customers where id = %s", [1])])
with connection.schema_editor() as editor:
    field = models.IntegerField(null=True)
    field.set_attributes_from_name("stock")
    editor.add_field(Order, field)
    editor.add_index(Order, models.Index(fields=["total"], name="orders_total"))
    editor.remove_field(Order, field)
show("flush", len(command("sqlflush")))
