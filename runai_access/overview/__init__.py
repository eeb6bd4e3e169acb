"""The Overview: what needs attention in this installation."""
