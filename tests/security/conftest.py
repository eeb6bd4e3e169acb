"""Fixtures for security tests: no state remains from earlier tests."""

from collections.abc import Iterator

import pytest

from applications.oauth.keyring import KEYRING
from runai_access.audit import recorder


@pytest.fixture(autouse=True)
def _as_after_a_start() -> Iterator[None]:
    recorder.recently_logged.clear()
    KEYRING.forget()
    yield
    KEYRING.forget()
