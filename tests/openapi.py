"""Reads our OpenAPI document, which is long."""

from functools import cache
from typing import Any

import yaml

from tests.servers import ROOT

COMMITTED = ROOT / "docs" / "openapi.yaml"

# libyaml reads it ten times as fast; PyYAML has it on all common platforms.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str | bytes) -> Any:
    """Return what a YAML text contains."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # both are safe loaders


@cache
def document() -> dict[str, Any]:
    """Return the committed document, which nobody changes."""
    found: dict[str, Any] = read_yaml(COMMITTED.read_text(encoding="utf-8"))
    return found
