"""An organization, people with names, and browsers in which they are signed in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client

from accessrules.models import Scope
from runai_access.accounts.models import User
from tests import factories
from tests.browsers import signed_in

SignedIn = Callable[..., Client]
DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}
# Only the list and not the page around it, which takes longer to render.
LISTING = {"HX-Request": "true", "HX-Target": "listing"}
SECRET = re.compile(r"ras_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")
PASSWORD = re.compile(r"(?:[a-z2-9]{6}-){3}[a-z2-9]{6}")


@dataclass(frozen=True)
class Organization:
    """Two clusters; east has vision (training, serving) and speech (dictation), west has none."""

    east: Scope
    west: Scope
    vision: Scope
    speech: Scope
    training: Scope
    dictation: Scope


@pytest.fixture
def acme(db: None) -> Organization:
    return new_organization()


def new_organization() -> Organization:
    """Create the scopes of an organization."""
    east, west = factories.cluster("east"), factories.cluster("west")
    vision, speech = factories.department("vision", east), factories.department("speech", east)
    training = factories.project("training", vision)
    dictation = factories.project("dictation", speech)
    return Organization(east, west, vision, speech, training, dictation)


@pytest.fixture
def ada(db: None) -> User:
    """Ada is System administrator of the account."""
    return factories.person("ada@acme.example", "System administrator")


@pytest.fixture
def dina(acme: Organization) -> User:
    """Dina is Department administrator of vision: she reads applications and grants there."""
    return factories.person("dina@acme.example", "Department administrator", acme.vision)


@pytest.fixture
def vera(acme: Organization) -> User:
    """Vera is Viewer of one project: applications are none of her business."""
    return factories.person("vera@acme.example", "Viewer", acme.training)


@pytest.fixture
def as_() -> SignedIn:
    """Return a browser in which that person is signed in."""
    return signed_in


def text_of(response: HttpResponse) -> str:
    """Return what a person reads: no tags, one space between words."""
    visible = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(visible).split())


def column(response: HttpResponse, name: str) -> list[str]:
    """Return the visible texts of one column, row by row."""
    cells = re.findall(
        rf'<t[dh][^>]*role="(?:cell|rowheader)" class="column-{name}"[^>]*>(.*?)</t[dh]>',
        re.sub(r'<wbr>|<span class="visually-hidden">.*?</span>', "", response.content.decode()),
        re.DOTALL,
    )
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


def submission_in(response: HttpResponse) -> str:
    """Return the number that the form in a dialog carries."""
    found = re.search(r'name="submission" value="([^"]+)"', response.content.decode())
    assert found, "the dialog has no form with a number"
    return found[1]


def secret_in(response: HttpResponse) -> str:
    """Return the client secret that an answer shows."""
    found = SECRET.search(response.content.decode())
    assert found, "the answer shows no secret"
    return found[0]


def password_in(response: HttpResponse) -> str:
    """Return the temporary password that an answer shows."""
    found = PASSWORD.search(response.content.decode())
    assert found, "the response shows no password"
    return found[0]


def linked_url(response: HttpResponse, relation: str) -> str:
    """Return the URL of the paging link with this relation."""
    found = re.search(rf'<a [^>]*?href="([^"]*)"[^>]*rel="{relation}"', response.content.decode())
    found = found or re.search(
        rf'<a [^>]*rel="{relation}"[^>]*?href="([^"]*)"', response.content.decode()
    )
    assert found, f"no link with rel={relation}"
    return unescape(found[1])
