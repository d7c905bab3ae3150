"""Django models of the tables of shop.sql."""

from django.db import models


class Customer(models.Model):
    name = models.TextField()
    email = models.CharField(max_length=80, unique=True)
    password = models.TextField()
    api_key = models.CharField(max_length=40, null=True)
    profile = models.JSONField(default=dict)

    class Meta:
        db_table = "customers"
        managed = False


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    status = models.TextField(default="new")
    total = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        db_table = "orders"
        managed = False
