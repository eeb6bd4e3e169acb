"""An example organization, and clients that authenticate as an application."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client

from accessrules.models import Scope
from applications.models import Application
from applications.oauth import keyring
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from tests import factories

As = Callable[..., Client]


@dataclass(frozen=True)
class Organization:
    """Two departments: vision with two projects, and speech with one."""

    cluster: Scope
    vision: Scope
    training: Scope
    serving: Scope
    speech: Scope
    dictation: Scope


@pytest.fixture
def organization(db: None) -> Organization:
    cluster = factories.cluster("gpu-east")
    vision = factories.department("vision", cluster)
    speech = factories.department("speech", cluster)
    return Organization(
        cluster=cluster,
        vision=vision,
        training=factories.project("training", vision),
        serving=factories.project("serving", vision),
        speech=speech,
        dictation=factories.project("dictation", speech),
    )


@pytest.fixture
def administrator(db: None) -> Application:
    """An application with all permissions in the account."""
    return factories.application("root", ("System administrator", factories.account()))


@pytest.fixture
def secret() -> str:
    """A client secret."""
    return new_secret()


@pytest.fixture
def nightly(db: None, secret: str) -> Application:
    """An application with all permissions in the account and the client secret `secret`."""
    return factories.application(
        "nightly", ("System administrator", factories.account()), secret=secret
    )


@pytest.fixture
def known_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevent the periodic reload of the signing keys during the test."""
    monkeypatch.setattr(keyring, "RELOAD_SECONDS", float("inf"))


@pytest.fixture
def as_() -> As:
    """Return a function that returns a client with a new token of an application."""

    def client(application: Application) -> Client:
        token = issue(application).text
        return Client(headers={"Authorization": f"Bearer {token}"})

    return client
