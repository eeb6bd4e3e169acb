"""An organization, people with names, browsers in which they are signed in, and applications."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accessrules.models import AccessRule, Scope
from applications.models import Application, search_text_of
from runai_access.accounts.models import User
from tests import factories
from tests.browsers import signed_in
from tests.web.selections import FilterQuery

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
def thirty_applications(acme: Organization) -> None:
    """Thirty applications: every third has a rule in east, and zoe created every tenth."""
    made = factories.named_applications(f"app-{number:02}" for number in range(30))
    for number, application in enumerate(made):
        if number % 3 == 0:
            factories.rule(application, "Viewer", acme.east)
        if number % 10 == 0:
            text = search_text_of(application.name, "zoe")
            Application.objects.filter(pk=application.pk).update(created_by="zoe", search_text=text)


@pytest.fixture
def holders(acme: Organization) -> dict[str, FilterQuery]:
    """Filters of nineteen applications with three rules each; three applications share each time."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    factories.rule(factories.group("ops"), "Viewer", acme.east)
    factories.application("none", ("Editor", acme.west))
    lost = factories.rule(factories.application("lost"), "Viewer", acme.east)
    AccessRule.objects.filter(pk=lost.pk).update(deleted_at=timezone.now())
    rules = [("Viewer", acme.east), ("Viewer", acme.west), ("Editor", acme.east)]
    made = factories.named_applications((f"app-{number:02}" for number in range(19)), *rules)
    for number, application in enumerate(made):
        age = start + timedelta(days=number // 3)
        Application.objects.filter(pk=application.pk).update(created_at=age)
    return {
        "role": ("role__any_of", [factories.role("Viewer").pk]),
        "roles": ("role__any_of", [factories.role(name).pk for name in ("Viewer", "Editor")]),
        "scope": ("scope__any_of", [acme.east.pk]),
        "scopes": ("scope__any_of", [acme.east.pk, acme.west.pk]),
    }


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
