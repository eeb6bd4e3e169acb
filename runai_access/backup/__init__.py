"""Backup and restore of the database, and copying it to PostgreSQL."""
