"""The list engine: filters, selection, keyset pagination, tables, export."""
