"""The project runai-access."""

__version__ = "0.2.0"
