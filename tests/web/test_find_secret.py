"""The FIND A SECRET page, and the same in the API and as a command."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from applications import secret_search
from applications.models import Application
from applications.oauth.secrets import new_secret
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import Organization, SignedIn, text_of

PAGE = "/applications/find-secret/"
API = "/api/v1/find-secrets"


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def ci(acme: Organization, secret: str) -> Application:
    return factories.application("ci", ("Viewer", acme.training), secret=secret)


@pytest.fixture
def browser(as_: SignedIn, ada: User) -> Client:
    return as_(ada)


def find(browser: Client, text: str) -> Any:
    return browser.post(PAGE, {"text": text})


def test_live_secret_offers_to_contain_and_revoke(
    browser: Client, ci: Application, secret: str
) -> None:
    assert f'href="{PAGE}"' in browser.get("/applications/").content.decode()
    answer = find(browser, f"CLIENT_SECRET={secret}")
    page = answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in answer.headers
    assert f"ras_{ci.used_secret.pk}_… Live Application ci" in text_of(answer)
    assert f"/applications/{ci.pk}/contain/" in page
    assert f"/applications/{ci.pk}/secrets/{ci.used_secret.pk}/revoke/" in page
    assert secret[17:] not in page


def test_secret_that_was_added_since_offers_to_contain_again(
    browser: Client, ci: Application, secret: str
) -> None:
    contain = f"/applications/{ci.pk}/contain/"
    browser.post(contain)
    assert contain not in find(browser, secret).content.decode()
    added = new_secret()
    factories.client_secret(ci, added)
    assert contain in find(browser, added).content.decode()
    assert "a client secret was added since" in text_of(browser.get(contain))


def test_unmatched_texts_are_explained(browser: Client, ci: Application) -> None:
    page = text_of(find(browser, f"{new_secret()} {factories.old_secret()}"))
    assert "not among the client secrets of the applications that you can see" in page
    assert "It contains no ID, so its application can't be found" in page
    assert "CONTAIN" not in page
    assert "nothing that looks like a client secret" in text_of(find(browser, "ras_nothing"))


def test_reader_is_offered_no_action(
    as_: SignedIn, dina: User, ci: Application, secret: str
) -> None:
    page = find(as_(dina), secret)
    assert "Live Application ci" in text_of(page)
    assert "/contain/" not in page.content.decode()
    assert "/revoke/" not in page.content.decode()


def test_form_is_never_kept_or_filled_in(browser: Client) -> None:
    page = find(browser, "x" * 200).content.decode()
    area = page.split("<textarea")[1].split("</textarea>")[0]
    assert "data-password" in area
    assert 'autocomplete="off"' in area
    assert 'spellcheck="false"' in area
    assert area.endswith(">")
    assert 'hx-history="false"' in page


def test_too_much_and_too_often_are_refused_beside_the_field(
    browser: Client, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = find(browser, "x" * (secret_search.MAX_LENGTH + 1))
    assert (long.status_code, "Paste at most 100,000 characters." in text_of(long)) == (422, True)
    monkeypatch.setattr(secret_search, "SEARCHES", 1)
    monkeypatch.setattr(secret_search, "SEARCH_SECONDS", 3 * 86_400)
    find(browser, secret)
    refused = find(browser, secret)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    assert "Too many searches for secrets. Try again in 3 days." in text_of(refused)
    answer = browser.post(API, {"text": secret}, "application/json")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)


def test_api_answers_the_same(browser: Client, ci: Application, secret: str) -> None:
    answer = browser.post(API, json.dumps({"text": f"{secret} {new_secret()}"}), "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    first, second = answer.json()["found"]
    assert first == {
        "secretId": ci.used_secret.pk, "status": "live",
        "explanation": "This client secret works.",
        "applicationId": str(ci.pk), "applicationName": "ci",
    }  # fmt: skip
    assert (second["status"], "applicationId" in second) == ("unknown", False)
    assert answer.json()["skipped"] == 0


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 7}, {"text": "x" * 100_001}])
def test_api_refuses_an_invalid_text(browser: Client, body: Any) -> None:
    answer = browser.post(API, json.dumps(body), "application/json")
    assert (answer.status_code, answer.json()["details"][:5]) == (400, "text:")


def test_command_reads_a_file_or_standard_input(
    ci: Application, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "leak.log"
    file.write_text(f"SECRET={secret}\n")
    monkeypatch.setattr("sys.stdin", StringIO("nothing"))
    printed = []
    for arguments in ([str(file)], []):
        out = StringIO()
        call_command("find_secret", *arguments, stdout=out)
        printed.append(out.getvalue())
    assert printed == [
        f"ras_{ci.used_secret.pk}_…  ci  This client secret works.\n",
        "The text contains nothing that looks like a client secret.\n",
    ]
