"""The official client, imported by the first test that uses it: that takes seconds.

Every process of a run collects all tests, but few run these.
"""

import importlib
from typing import Any

_HOMES = {
    "models": "runai",
    "api": "runai",
    "ApiClient": "runai.api_client",
    "AsyncApiClient": "runai.api_client",
    "ThreadedApiClient": "runai.api_client",
    "Configuration": "runai.configuration",
    "ApiException": "runai.exceptions",
    "RunaiClient": "runai.runai_client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_HOMES[name]), name)
