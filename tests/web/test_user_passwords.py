"""Creating a user and resetting a password: a temporary password, shown once."""

import uuid
from html import escape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accessrules.models import Subject
from runai_access.accounts import actions
from runai_access.accounts.models import User
from runai_access.errors import Busy
from tests import factories
from tests.web.conftest import (
    DIALOG,
    PASSWORD,
    Organization,
    SignedIn,
    password_in,
    submission_in,
    text_of,
)

NEW = "/users/new/"
NINA = "nina@acme.example"
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def bo(db: None) -> User:
    return factories.person("bo@acme.example", password="the first password")


def reset(user: User) -> str:
    return reverse("users:reset-password", args=[user.pk])


def send(browser: Client, url: str = NEW, *, submission: str = "", **fields: str) -> Any:
    return browser.post(url, {"submission": submission or str(uuid.uuid4()), **fields})


def shows_a_password(answer: HttpResponse) -> bool:
    return PASSWORD.search(answer.content.decode()) is not None


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "htmx"])
def test_creating_shows_the_temporary_password_and_a_warning(
    browser: Client, headers: dict[str, str]
) -> None:
    number = submission_in(browser.get(NEW, headers=headers))
    answer = browser.post(
        NEW, {"email": " Nina@Acme.example", "submission": number}, headers=headers
    )
    assert answer.status_code == 200
    text = text_of(answer)
    assert "Copy the temporary password and share it securely." in text
    assert "The user chooses a new password at the first sign-in" in text
    assert f"Email {NINA}" in text
    assert "/sign-in/" in text
    nina = User.objects.get(email=NINA)
    assert nina.created_by == "ada@acme.example"
    assert nina.must_choose_password
    assert nina.check_password(password_in(answer))
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("<html" in answer.content.decode()) is (headers == {})


def test_shown_password_is_in_no_later_page_or_session(browser: Client) -> None:
    answer = send(browser, email=NINA)
    password = password_in(answer)
    nina = User.objects.get(email=NINA)
    names = ("detail", "groups", "reset-password", "enable", "disable")
    later = [
        browser.get("/users/"),
        browser.get("/users/", {"changed": str(nina.pk)}),
        browser.get(NEW),
        *[browser.get(reverse(f"users:{name}", args=[nina.pk])) for name in names],
    ]
    for page in later:
        assert page.status_code == 200
        assert not shows_a_password(page)
    kept = [str(dict(browser.session)), *[cookie.value for cookie in browser.cookies.values()]]
    assert [text for text in kept if password in text] == []


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("", "Enter an email."),
        ("   ", "Enter an email."),
        ("nina", "Enter a valid email, for example rosa@example.com."),
        ("nina@acme@example", "Enter a valid email"),
        ("<b>nina</b>@acme.example", "Enter a valid email"),
        ("n" * 300 + "@acme.example", "at most 255 characters"),
        ("ni\x00na@acme.example", "Null characters are not allowed."),
    ],
)
def test_malformed_email_keeps_the_input_and_shows_an_error(
    browser: Client, email: str, expected: str
) -> None:
    answer = send(browser, email=email)
    content = answer.content.decode()
    assert answer.status_code == 422
    assert expected in text_of(answer)
    assert 'aria-invalid="true"' in content
    assert 'id="email-error"' in content
    assert "<b>" not in content
    assert User.objects.count() == 1


def test_email_in_use_shows_an_error_on_the_field(browser: Client, bo: User) -> None:
    answer = send(browser, email="BO@acme.example")
    assert answer.status_code == 409
    assert "A user with the email BO@acme.example already exists." in text_of(answer)
    assert 'value="BO@acme.example"' in answer.content.decode()
    assert "ENABLE" not in text_of(answer)


def test_email_of_a_disabled_user_offers_to_enable_the_user(browser: Client, bo: User) -> None:
    Subject.objects.filter(pk=bo.pk).update(enabled=False)
    answer = send(browser, email="bo@acme.example")
    assert answer.status_code == 409
    assert "A user with the email bo@acme.example already exists but is disabled." in text_of(
        answer
    )
    assert "ENABLE bo@acme.example" in text_of(answer)
    enable = reverse("users:enable", args=[bo.pk])
    assert f'href="{enable}?from=' in answer.content.decode()
    assert browser.post(enable).status_code == 302
    assert User.objects.get(pk=bo.pk).enabled


def test_creator_without_read_permission_learns_no_status(as_: SignedIn, bo: User) -> None:
    Subject.objects.filter(pk=bo.pk).update(enabled=False)
    factories.custom_role("Inviter", users="c")
    inviter = factories.person("ivo@acme.example", "Inviter")
    answer = send(as_(inviter), email="bo@acme.example")
    assert answer.status_code == 409
    assert "A user with the email bo@acme.example already exists." in text_of(answer)
    assert "disabled" not in text_of(answer)


def test_resubmitting_the_form_shows_no_second_password(
    browser: Client,
) -> None:
    number = str(uuid.uuid4())
    first = send(browser, email=NINA, submission=number)
    second = send(browser, email=NINA, submission=number)
    assert second.status_code == 409
    assert f"User {NINA} was already created." in text_of(second)
    assert "If you didn't save it, reset the password." in text_of(second)
    nina = User.objects.get(email=NINA)
    assert reset(nina) in second.content.decode()
    assert not shows_a_password(second)
    assert nina.check_password(password_in(first))


@pytest.mark.parametrize("number", ["", "not-a-uuid"])
def test_form_without_a_submission_number_is_refused(browser: Client, number: str) -> None:
    answer = browser.post(NEW, {"email": NINA, "submission": number})
    assert answer.status_code == 422
    assert "This form came without its number." in text_of(answer)
    assert not User.objects.filter(email=NINA).exists()


@pytest.mark.parametrize("where", ["create", "reset"])
def test_busy_server_keeps_the_input(
    browser: Client, bo: User, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy("Too many sign-ins at the same time.", retry_after=5)

    monkeypatch.setattr(actions, "make_password", busy)
    answer = send(browser, email=NINA) if where == "create" else send(browser, reset(bo))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Try again in a moment." in text_of(answer)
    if where == "create":
        assert f'value="{NINA}"' in answer.content.decode()


def test_list_shows_a_toast_and_the_row_of_the_new_user(browser: Client) -> None:
    answer = send(browser, email=NINA)
    next_url = f"/users/?changed={User.objects.get(email=NINA).pk}&new=1"
    assert f'href="{escape(next_url)}"' in answer.content.decode()
    shown = browser.get(next_url)
    assert f"User {NINA} created." in text_of(shown)
    assert 'class="row-changed"' in shown.content.decode()


def test_resetting_warns_and_then_replaces_the_password(browser: Client, bo: User) -> None:
    dialog = browser.get(reset(bo))
    assert "stops working immediately, and they are signed out everywhere" in text_of(dialog)
    answer = send(browser, reset(bo), submission=submission_in(dialog))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    bo.refresh_from_db()
    assert bo.check_password(password_in(answer))
    assert not bo.check_password("the first password")
    assert "Password of bo@acme.example reset." in text_of(browser.get("/users/"))


def test_opening_the_dialog_changes_nothing(browser: Client, bo: User) -> None:
    browser.get(reset(bo))
    assert User.objects.get(pk=bo.pk).password == bo.password


def test_resubmitting_the_reset_form_shows_no_second_password(browser: Client, bo: User) -> None:
    number = str(uuid.uuid4())
    password = password_in(send(browser, reset(bo), submission=number))
    again = send(browser, reset(bo), submission=number)
    assert again.status_code == 409
    assert not shows_a_password(again)
    bo.refresh_from_db()
    assert bo.check_password(password)


def test_reset_of_a_disabled_user_says_that_they_cannot_sign_in(browser: Client, bo: User) -> None:
    Subject.objects.filter(pk=bo.pk).update(enabled=False)
    assert "can't sign in until enabled" in text_of(send(browser, reset(bo)))


def test_own_password_is_changed_instead_of_reset(browser: Client, ada: User) -> None:
    answers: list[Any] = [browser.get(reset(ada)), send(browser, reset(ada))]
    for answer in answers:
        assert answer.url == "/account/password/"
    assert User.objects.get(pk=ada.pk).password == ada.password


def test_password_of_a_stronger_user_cannot_be_reset(
    as_: SignedIn, acme: Organization, bo: User
) -> None:
    factories.rule(bo, "System administrator", factories.account())
    factories.custom_role("Keeper", users="cru")
    keeper = as_(factories.person("kim@acme.example", "Keeper"))
    for answer in (keeper.get(reset(bo)), send(keeper, reset(bo))):
        assert answer.status_code == 403
        assert "To manage its credentials, you need the same" in text_of(answer)
    assert User.objects.get(pk=bo.pk).password == bo.password


def test_reset_signs_the_user_out_immediately(browser: Client, as_: SignedIn, bo: User) -> None:
    theirs = as_(bo)
    assert theirs.get("/account/").status_code == 200
    send(browser, reset(bo))
    assert theirs.get("/account/").status_code == 302
    assert theirs.get("/api/v1/authorization/permissions").status_code == 401
