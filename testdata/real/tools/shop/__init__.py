"""Django models of the tables of shop.sql."""
