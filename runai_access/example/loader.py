def load() -> None:
    """Placeholder."""
