"""Prometheus metrics on a separate port, and the figures of the System page."""
