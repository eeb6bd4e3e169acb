"""What a text must be before a database is asked about it."""


def is_storable(text: str) -> bool:
    """Return whether every database can hold `text`: no NUL (PostgreSQL), no lone surrogate.

    A stranger may send either; what can't be held is not there, and is never looked up.
    """
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)
