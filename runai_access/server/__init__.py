"""The production server: granian reads HTTP, a pool of threads runs the WSGI application.

`serve` becomes this package: python -m runai_access.server HOST PORT
"""
