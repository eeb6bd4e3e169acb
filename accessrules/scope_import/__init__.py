"""Scope files, which `import_scopes` reads and `export_scopes` writes.

CSV, JSON and YAML hold the same: a list of scopes, each with `type`, `name`, `parent` and `id`, all
of them texts. Readers and writers don't use the database; `validation` checks that the scopes form
one tree.
"""
