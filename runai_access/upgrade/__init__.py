"""Upgrades of databases that the migrations cannot do, because they begin after those releases."""
