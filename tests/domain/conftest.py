"""What the tests of the core share: an organization, and eyes on Argon2."""

from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher

from accessrules.models import Scope
from applications.models import Application
from applications.oauth.secret_verification import authenticate
from runai_access.security import hashing
from tests import factories


@dataclass(frozen=True)
class Organization:
    """Every scope of a small company, by its name.

    account > alpha > research > vision, speech
                    > sales > forecast
            > beta > operations > batch
    """

    scopes: dict[str, Scope]

    def __getitem__(self, name: str) -> Scope:
        return self.scopes[name]


@pytest.fixture
def acme(db: None) -> Organization:
    """The organization that most tests happen in."""
    alpha, beta = factories.cluster("alpha"), factories.cluster("beta")
    research, sales = factories.department("research", alpha), factories.department("sales", alpha)
    operations = factories.department("operations", beta)
    made = [
        alpha, beta, research, sales, operations,
        factories.project("vision", research),
        factories.project("speech", research),
        factories.project("forecast", sales),
        factories.project("batch", operations),
    ]  # fmt: skip
    named = {scope.name: scope for scope in made}
    return Organization({"system": factories.system(), "account": factories.account(), **named})


def is_authenticated(application: Application, secret: str, address: str | None = None) -> bool:
    """Return whether the secret authenticates the client of the application."""
    found = authenticate(application.name, secret, address)
    return found is not None and found.id == application.pk


class CountingHasher:
    """The real Argon2, and how often it ran."""

    def __init__(self, real: PasswordHasher) -> None:
        self._real = real
        self.verifies = 0
        self.hashes = 0

    def verify(self, secret_hash: str, secret: str) -> bool:
        self.verifies += 1
        return self._real.verify(secret_hash, secret)

    def hash(self, secret: str) -> str:
        self.hashes += 1
        return self._real.hash(secret)


@pytest.fixture
def argon2(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    """Count the Argon2 runs over client secrets; they still run."""
    counting = CountingHasher(hashing._hasher)
    monkeypatch.setattr(hashing, "_hasher", counting)
    return counting
