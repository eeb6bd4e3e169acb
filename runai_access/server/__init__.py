"""The production server: granian reads HTTP, a thread pool runs the WSGI application.

`serve` replaces itself with this package: python -m runai_access.server HOST PORT
"""
