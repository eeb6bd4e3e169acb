"""Upgrades of databases from releases that are older than the initial migrations."""
