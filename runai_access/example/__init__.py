"""A small example organization, loaded on the first start of an empty installation."""

from runai_access.example.loader import load

__all__ = ["load"]
