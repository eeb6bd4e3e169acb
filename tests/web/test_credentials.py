"""Creating an application and regenerating its secret, which is shown once."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from applications.actions import new_secrets
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.errors import Busy
from runai_access.security.hashing import verify_secret
from tests import factories
from tests.web.conftest import (
    DIALOG,
    SECRET,
    Organization,
    SignedIn,
    column,
    secret_in,
    submission_in,
    text_of,
)

NEW = "/applications/new/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def ci(db: None) -> Application:
    return factories.application("ci", secret="the-first-one")


def _url(application: Application) -> str:
    return reverse("applications:regenerate", args=[application.pk])


def _send(browser: Client, url: str = NEW, *, submission: str = "", **fields: str) -> object:
    return browser.post(url, {"submission": submission or str(uuid.uuid4()), **fields})


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "htmx"])
def test_creating_shows_client_id_secret_and_warning(
    browser: Client, headers: dict[str, str]
) -> None:
    number = submission_in(browser.get(NEW, headers=headers))
    answer = browser.post(NEW, {"name": "ci", "submission": number}, headers=headers)
    assert answer.status_code == 200
    text = text_of(answer)
    assert "Copy the Client ID and Client secret and store them securely." in text
    assert "It cannot be recovered but can be regenerated." in text
    assert "Client ID ci" in text
    application = Application.objects.get(subject__name="ci")
    assert application.created_by == "ada@acme.example"
    assert verify_secret(factories.hash_of(application), secret_in(answer))
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("<html" in answer.content.decode()) is (headers == {})


def test_shown_secret_is_in_no_later_page_or_session(browser: Client, acme: Organization) -> None:
    answer = _send(browser, name="ci")
    secret = secret_in(answer)
    id_ = Application.objects.get().pk
    names = ("access-rules", "regenerate", "enable", "disable", "delete")
    later = [
        browser.get("/applications/"),
        browser.get("/applications/", {"selected": str(id_)}),
        browser.get(NEW),
        *[browser.get(reverse(f"applications:{name}", args=[id_])) for name in names],
    ]
    for page in later:
        assert page.status_code == 200
        assert SECRET.search(page.content.decode()) is None
    kept = [str(dict(browser.session)), *[cookie.value for cookie in browser.cookies.values()]]
    assert [text for text in kept if secret in text] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "Enter a name."),
        ("   ", "Enter a name."),
        ("a", "A name must have 2 to 255 characters; this one has 1."),
        ("x" * 300, "A name must have 2 to 255 characters; this one has 300."),
        ("CI-Pipeline", "A name must start with a lowercase letter"),
        ("ci pipeline", "A name must start with a lowercase letter"),
        ("ci-", "A name must start with a lowercase letter"),
        ("<b>bold</b>", "A name must start with a lowercase letter"),
        ("cі", "A name must start with a lowercase letter"),  # noqa: RUF001  # a Cyrillic letter
        ("c\x00i", "A name must start with a lowercase letter"),
        ("abcdef12-aaaa-bbbb-cccc-abcdefabcdef", "A name can't be a UUID"),
    ],
)
def test_invalid_name_keeps_the_input_and_shows_an_error(
    browser: Client, name: str, expected: str
) -> None:
    answer = _send(browser, name=name)
    content = answer.content.decode()
    assert answer.status_code == 422
    assert expected in text_of(answer)
    assert 'aria-invalid="true"' in content
    assert 'id="name-error"' in content
    assert "<b>" not in content
    assert f'value="{escape(name)}"' in content
    assert not Application.objects.exists()


def test_name_in_use_shows_an_error_on_the_field(browser: Client, ci: Application) -> None:
    answer = _send(browser, name="ci")
    assert answer.status_code == 409
    assert "An application named ci already exists. Choose another name." in text_of(answer)
    assert 'value="ci"' in answer.content.decode()
    assert Application.objects.count() == 1


def test_resubmitting_the_form_shows_no_second_secret(
    browser: Client,
) -> None:
    number = str(uuid.uuid4())
    first = _send(browser, name="ci", submission=number)
    before = factories.hash_of(Application.objects.get())
    second = _send(browser, name="ci", submission=number)
    assert second.status_code == 409
    assert "Application ci was already created." in text_of(second)
    assert "If you didn't save it, regenerate it." in text_of(second)
    assert reverse("applications:regenerate", args=[Application.objects.get().pk]) in (
        second.content.decode()
    )
    assert SECRET.search(second.content.decode()) is None
    assert factories.hash_of(Application.objects.get()) == before
    assert verify_secret(before, secret_in(first))


@pytest.mark.parametrize("number", ["", "not-a-uuid"])
def test_form_without_a_submission_number_is_refused(browser: Client, number: str) -> None:
    answer = browser.post(NEW, {"name": "ci", "submission": number})
    assert answer.status_code == 422
    assert "This form came without its number." in text_of(answer)
    assert not Application.objects.exists()


def test_refused_form_gets_a_new_submission_number(browser: Client) -> None:
    number = submission_in(browser.post(NEW, {"name": "ci", "submission": "not-a-uuid"}))
    assert _send(browser, name="ci", submission=number).status_code == 200


def test_busy_server_keeps_the_input(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_: str) -> str:
        raise Busy("Too many sign-ins at the same time.", retry_after=5)

    monkeypatch.setattr(new_secrets, "hash_secret", busy)
    answer = _send(browser, name="ci")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert 'value="ci"' in answer.content.decode()
    assert "Try again in a moment." in text_of(answer)


def test_list_shows_a_toast_for_the_new_application(browser: Client) -> None:
    _send(browser, name="ci")
    assert "Application ci created." in text_of(browser.get("/applications/"))
    assert "Application ci created." not in text_of(browser.get("/applications/"))


def test_done_returns_to_the_list_with_the_new_row_marked(browser: Client) -> None:
    answer = _send(browser, name="ci")
    next_url = f"/applications/?changed={Application.objects.get().pk}&new=1"
    assert f'href="{escape(next_url)}"' in answer.content.decode()
    shown = browser.get(next_url)
    assert column(shown, "application") == ["ci New"]
    assert " checked" not in shown.content.decode()


def test_no_row_is_selected_after_regenerating(browser: Client, ci: Application) -> None:
    answer = _send(browser, _url(ci), submission=submission_in(browser.get(_url(ci))))
    assert f'href="/applications/?changed={ci.pk}"' in answer.content.decode()
    shown = browser.get(f"/applications/?changed={ci.pk}")
    assert column(shown, "application") == ["ci Changed"]
    assert " checked" not in shown.content.decode()


def test_regenerating_warns_and_then_replaces_the_secret(browser: Client, ci: Application) -> None:
    dialog = browser.get(_url(ci))
    assert "Regenerating a client secret revokes the previous one." in text_of(dialog)
    answer = _send(browser, _url(ci), submission=submission_in(dialog))
    assert answer.status_code == 200
    assert "New client secret" in text_of(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    ci.refresh_from_db()
    assert verify_secret(factories.hash_of(ci), secret_in(answer))
    assert not verify_secret(factories.hash_of(ci), "the-first-one")
    assert "Client secret regenerated." in text_of(browser.get("/applications/"))


def test_opening_the_regenerate_dialog_changes_nothing(browser: Client, ci: Application) -> None:
    browser.get(_url(ci))
    assert factories.hash_of(Application.objects.get()) == factories.hash_of(ci)


def test_resubmitting_the_regenerate_form_shows_no_second_secret(
    browser: Client, ci: Application
) -> None:
    number = str(uuid.uuid4())
    secret = secret_in(_send(browser, _url(ci), submission=number))
    again = _send(browser, _url(ci), submission=number)
    assert again.status_code == 409
    assert SECRET.search(again.content.decode()) is None
    ci.refresh_from_db()
    assert verify_secret(factories.hash_of(ci), secret)


def test_regenerating_without_a_submission_number_changes_nothing(
    browser: Client, ci: Application
) -> None:
    answer = browser.post(_url(ci))
    assert answer.status_code == 422
    assert factories.hash_of(Application.objects.get()) == factories.hash_of(ci)


def test_htmx_response_reports_the_change_and_keeps_the_url(
    browser: Client, ci: Application
) -> None:
    answer = browser.post(_url(ci), {"submission": str(uuid.uuid4())}, headers=DIALOG)
    assert "changed" in answer.headers["HX-Trigger"]
    assert answer.headers["HX-Push-Url"] == "false"
    assert "HX-Request" in answer.headers["Vary"]


def test_secret_of_a_stronger_application_cannot_be_regenerated(
    as_: SignedIn, acme: Organization
) -> None:
    strong = factories.application("strong", ("System administrator", factories.account()))
    keeper = factories.person("kim@acme.example")
    factories.custom_role("Keeper", apps="cru")
    factories.rule(keeper, "Keeper", factories.account())
    for answer in (as_(keeper).get(_url(strong)), _send(as_(keeper), _url(strong))):
        assert answer.status_code == 403
        assert "To manage its credentials, you need the same" in text_of(answer)
    strong.refresh_from_db()
    assert strong.secrets.get() == strong.used_secret
