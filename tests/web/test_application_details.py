"""Owner, description and labels on the pages: dialogs, columns, filters, search and files."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accessrules.models import Subject
from applications.models import Application, searched_details_of
from applications.oauth.client_authentication import is_usable_from
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from tests import factories
from tests.strategies import force
from tests.web.conftest import DIALOG, LISTING, Organization, SignedIn, column, text_of

COLUMNS = {"columns": "application,owner,description,labels"}


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


@pytest.fixture
def ci(db: None) -> Application:
    return factories.application("ci")


def described(
    name: str, owner: Subject | None = None, text: str = "", **labels: str
) -> Application:
    """Create an application with these details."""
    made = factories.application(name)
    Application.objects.filter(pk=made.pk).update(
        owner=owner, description=text, labels=labels,
        searched_details=searched_details_of(text, labels),
    )  # fmt: skip
    return made


@pytest.fixture
def four(ada: User) -> None:
    """Four applications with different details."""
    ops = factories.group("Platform ops", ada)
    described("nightly", ops, "Trains the Vision models", env="prod", team="vision")
    described("hourly", ada.subject, "Cleans up", env="prod-2")
    described("weekly", factories.group("Sales"), "Vision reports", env="PROD")
    described("bare")


def _edit(browser: Client, application: Application, **fields: str) -> Any:
    url = f"/applications/{application.pk}/details/"
    return browser.post(
        url, {"owner": "", "description": "", "labels": "", **fields}, headers=DIALOG
    )


def test_dialog_changes_all_details(browser: Client, ci: Application) -> None:
    factories.group("ops")
    page = browser.get(f"/applications/{ci.pk}/details/", headers=DIALOG)
    assert '<option value="ops">' in page.content.decode()
    _edit(browser, ci, owner="ops", description="Trains", labels="env=prod\nteam=vision")
    text = text_of(browser.get(ci.get_absolute_url()))
    assert "Owner ops Group Description Trains Labels env=prod team=vision" in text
    form = browser.get(f"/applications/{ci.pk}/details/", headers=DIALOG).content.decode()
    assert 'value="ops"' in form
    assert "env=prod\nteam=vision</textarea>" in form


def test_errors_are_beside_their_fields_and_change_nothing(
    browser: Client, ci: Application
) -> None:
    answer = _edit(browser, ci, owner="nobody", description="x" * 501, labels="env=prod")
    assert answer.status_code == 422
    content = answer.content.decode()
    assert 'id="owner-error">There is no user or group named “nobody”.' in content
    assert 'id="description-error">A description must have at most 500 characters' in content
    answer = _edit(browser, ci, description="Trains", labels="prod")
    assert 'id="labels-error">“prod” is not a label. Write key=value' in answer.content.decode()
    assert Application.objects.get().description == ""


def test_bulk_dialog_changes_only_what_is_checked(
    browser: Client, ci: Application, ada: User
) -> None:
    other = described("other", ada.subject, "Kept", team="sales", tier="1")
    asked = {"selected": [str(ci.pk), str(other.pk)]}
    assert "Edit details of 2 applications" in text_of(
        browser.get("/applications/bulk/details/", asked)
    )
    fields = {"owner": "", "sets_owner": "on", "labels": "env=prod", "removed": "tier"}
    report = browser.post("/applications/bulk/details/", {**asked, **fields}, headers=DIALOG)
    assert "details changed" in text_of(report)
    changed = Application.objects.get(pk=other.pk)
    assert (changed.owner, changed.description) == (None, "Kept")
    assert changed.labels == {"env": "prod", "team": "sales"}
    assert AuditEvent.objects.filter(action="update", entity_type="application").count() == 2


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "Choose what to change."),
        ({"sets_owner": "on", "owner": "nobody"}, "There is no user or group named “nobody”."),
        ({"labels": "prod"}, "“prod” is not a label."),
    ],
)
def test_invalid_bulk_change_is_refused_as_a_whole(
    browser: Client, ci: Application, fields: dict[str, str], error: str
) -> None:
    answer = browser.post("/applications/bulk/details/", {"selected": str(ci.pk), **fields})
    assert answer.status_code == 422
    assert error in text_of(answer)
    assert not AuditEvent.objects.filter(entity_type="application").exists()


@pytest.mark.parametrize("path", ["{}/details/", "bulk/details/?selected={}"])
def test_editing_requires_updating_applications(
    dina: User, as_: SignedIn, acme: Organization, path: str
) -> None:
    ours = factories.application("ours", ("Viewer", acme.training))
    assert as_(dina).get(f"/applications/{path.format(ours.pk)}").status_code == 403


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("strategy", ["keys", "sort", "scan"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "PLATFORM"}, {"nightly"}),
        ({"search": "vision"}, {"nightly", "weekly"}),
        ({"search": "env=prod"}, {"nightly", "hourly", "weekly"}),
        ({"search": "ada@acme"}, {"hourly"}),
        ({"owner__is": "platform OPS"}, {"nightly"}),
        ({"owner__is": "platform"}, set()),
        ({"owner__starts_with": "plat"}, {"nightly"}),
        ({"owner__contains": "a", "description__contains": "up"}, {"hourly"}),
        ({"owner__is_not": "Sales"}, {"nightly", "hourly", "bare"}),
        ({"owner__none": "1"}, {"bare"}),
        ({"owner__mine": "1"}, {"nightly", "hourly"}),
        ({"owner__mine": "1", "labels__is": "env=prod"}, {"nightly"}),
        ({"description__contains": "VISION"}, {"nightly", "weekly"}),
        ({"description__contains": "prod"}, set()),
        ({"labels__is": "env=prod"}, {"nightly", "weekly"}),
        ({"labels__is_not": "env=prod"}, {"hourly", "bare"}),
        ({"labels__starts_with": "team="}, {"nightly"}),
        ({"created_by__starts_with": "ada"}, set()),
        ({"created_by__is": factories.MAKER}, {"nightly", "hourly", "weekly", "bare"}),
    ],
)
def test_all_query_strategies_find_the_same_details(
    browser: Client,
    strategy: str,
    query: dict[str, str],
    found: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    force(strategy, monkeypatch)
    for sort in ("-creation_time", "owner", "-owner"):
        page = browser.get("/applications/", {**query, "sort": sort}, headers=LISTING)
        names = column(page, "application")
        assert {name.replace(" ", "") for name in names} == found
        assert len(names) == len(found)


@pytest.mark.usefixtures("four")
def test_columns_are_shown_sorted_and_exported(browser: Client) -> None:
    page = browser.get("/applications/", {**COLUMNS, "sort": "owner"})
    assert column(page, "owner") == ["None", "ada@acme.example", "Platform ops", "Sales"]
    assert column(page, "labels")[2] == "env=prod, team=vision"
    file = b"".join(
        browser.get(
            "/applications/applications.csv", {**COLUMNS, "sort": "-owner"}
        ).streaming_content
    )
    assert file.decode("utf-8-sig").splitlines()[:3] == [
        "Application,Owner,Description,Labels",
        "weekly,Sales,Vision reports,env=PROD",
        "nightly,Platform ops,Trains the Vision models,env=prod; team=vision",
    ]


@pytest.mark.usefixtures("four")
def test_my_applications_is_a_tab(browser: Client) -> None:
    everything = browser.get("/applications/").content.decode()
    assert 'href="/applications/?owner__mine=1">My applications' in everything
    mine = browser.get("/applications/?owner__mine=1")
    assert 'href="/applications/?owner__mine=1" aria-current="page"' in mine.content.decode()
    assert "Owner is you or one of your groups" in text_of(mine)


def test_owner_of_a_narrow_caller_is_listed_with_the_visible_rows(
    dina: User, as_: SignedIn, acme: Organization
) -> None:
    factories.application("ours", ("Viewer", acme.training))
    described("owned", dina.subject, env="prod")
    factories.application("theirs", ("Viewer", acme.dictation))
    for query in ({}, {"search": "o"}, {"sort": "application"}):
        names = column(as_(dina).get("/applications/", query), "application")
        assert {name.replace(" ", "") for name in names} == {"ours", "owned"}
    (name,) = column(as_(dina).get("/applications/", {"owner__mine": "1"}), "application")
    assert name == "owned"


def test_owner_is_offered_the_secrets_on_the_page(
    dina: User, as_: SignedIn, acme: Organization
) -> None:
    manager = factories.custom_role("Application manager", apps="ru")
    factories.rule(dina, manager.name, acme.vision)
    owned, other = (
        described("owned", dina.subject),
        factories.application("other", ("Viewer", acme.training)),
    )
    page = as_(dina).get(owned.get_absolute_url()).content.decode()
    assert "ADD SECRET" in page
    assert "REGENERATE CLIENT SECRET" in page
    assert "EDIT DETAILS" not in page
    assert "ADD SECRET" not in as_(dina).get(other.get_absolute_url()).content.decode()
    assert as_(dina).get(f"/applications/{owned.pk}/secrets/new/").status_code == 200
    assert as_(dina).get(f"/applications/{other.pk}/secrets/new/").status_code == 403


# Allowed addresses.


def test_refused_address_is_listed_until_it_is_allowed(browser: Client, ci: Application) -> None:
    url = f"/applications/{ci.pk}/allowed-addresses/"
    browser.post(url, {"addresses": "192.0.2.0/24\n2001:db8::/32"}, headers=DIALOG)
    ci.refresh_from_db()
    assert not is_usable_from(ci, Origin("198.51.100.9"))
    page = browser.get(ci.get_absolute_url())
    assert "Allowed addresses 192.0.2.0/24 , 2001:db8::/32 Edit" in text_of(page)
    assert "Refused addresses 198.51.100.9 just now Allow 198.51.100.9" in text_of(page)
    (link,) = re.findall(r'id="add-1" href="([^"]+)"', page.content.decode())
    dialog = browser.get(unescape(link), headers=DIALOG).content.decode()
    assert "192.0.2.0/24\n2001:db8::/32\n198.51.100.9</textarea>" in dialog
    browser.post(url, {"addresses": "192.0.2.0/24\n198.51.100.9"}, headers=DIALOG)
    assert "Refused addresses" not in text_of(browser.get(ci.get_absolute_url()))


def test_invalid_address_is_reported_beside_the_field(browser: Client, ci: Application) -> None:
    url = f"/applications/{ci.pk}/allowed-addresses/"
    answer = browser.post(url, {"addresses": "192.0.2.0/24\n10.0.0.1/8"}, headers=DIALOG)
    assert answer.status_code == 422
    assert 'id="addresses-error">“10.0.0.1/8” is an address in a' in answer.content.decode()
    assert Application.objects.get().networks == []
