"""Reads our OpenAPI document, which is long."""

from typing import Any

import yaml

# libyaml reads it ten times as fast; PyYAML has it on all common platforms.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str | bytes) -> Any:
    """Return what a YAML text contains."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # both are safe loaders
