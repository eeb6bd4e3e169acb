"""The user's own account: their password, and signing out everywhere."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts import signin
from runai_access.accounts.actions import IssuedPassword, invite_user
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import Busy
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, text_of

OWN, PASSWORD, EVERYWHERE = "/account/", "/account/password/", "/account/sign-out-everywhere/"
OLD, NEW = "the old password", "correct horse battery"
LIST = "/applications/"
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", "System administrator", password=OLD)


@pytest.fixture
def nina(db: None) -> IssuedPassword:
    """Nina, a new user with a temporary password."""
    issued = invite_user(caller=SYSTEM, email="nina@acme.example")
    factories.rule(issued.user, "System administrator", factories.account())
    return issued


def fields(current: str = OLD, new: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"current": current, "new": new, "again": again}


def sign_in(client: Client, email: str, password: str, **more: str) -> object:
    return client.post("/sign-in/", {"email": email, "password": password, **more})


# A temporary password


def test_temporary_password_redirects_to_choosing_one(client: Client, nina: IssuedPassword) -> None:
    wanted = f"{LIST}?sort=application"
    answer = sign_in(client, "nina@acme.example", nina.password, next=wanted)
    shown = client.get(answer.url, follow=True)
    assert shown.redirect_chain[-1][0].startswith(PASSWORD)
    assert "Choose your password" in text_of(shown)
    done = client.post(PASSWORD, {**fields(nina.password), "next": wanted})
    assert done.url == wanted
    assert "Password changed." in text_of(client.get(wanted))


PLACES = [LIST, OWN, "/keys/", "/api/docs/", EVERYWHERE]


@pytest.mark.parametrize("address", PLACES)
def test_temporary_password_redirects_all_pages(
    nina: IssuedPassword, as_: SignedIn, address: str
) -> None:
    browser = as_(nina.user)
    answer = browser.get(address)
    assert answer.status_code == 302
    assert answer.url.partition("?")[0] == PASSWORD
    answer = browser.get(address, headers=DIALOG)
    assert answer.headers["HX-Redirect"] == PASSWORD


def test_temporary_password_blocks_all_forms(nina: IssuedPassword, as_: SignedIn) -> None:
    browser = as_(nina.user)
    before = AuditEvent.objects.count()
    number = "6f0d2c5e-6a5e-4a39-8f0a-0d1c7f7d9f11"
    answer = browser.post("/applications/new/", {"name": "ci", "submission": number})
    assert (answer.status_code, answer.url) == (302, PASSWORD)
    assert AuditEvent.objects.count() == before


def test_temporary_password_blocks_the_api(nina: IssuedPassword, as_: SignedIn) -> None:
    browser = as_(nina.user)
    for path in ("apps", "users", "authorization/permissions"):
        answer = browser.get(f"/api/v1/{path}")
        assert answer.status_code == 403
        assert "temporary" in answer.json()["details"]
    made = browser.post("/api/v1/apps", {"name": "ci"}, content_type="application/json")
    assert made.status_code == 403
    browser.post(PASSWORD, fields(nina.password))
    assert browser.get("/api/v1/apps").status_code == 200


def test_temporary_password_allows_sign_out_and_theme(nina: IssuedPassword, as_: SignedIn) -> None:
    browser = as_(nina.user)
    assert browser.post("/theme/", {"theme": "dark", "next": PASSWORD}).url == PASSWORD
    assert browser.post("/sign-out/").url == "/sign-in/"
    assert browser.get(PASSWORD).url.startswith("/sign-in/")


def test_choosing_an_invalid_password_is_refused(nina: IssuedPassword, as_: SignedIn) -> None:
    browser = as_(nina.user)
    answer = browser.post(PASSWORD, fields(nina.password, nina.password, nina.password))
    assert answer.status_code == 422
    assert "must differ from the current one" in text_of(answer)
    assert nina.password not in answer.content.decode()
    assert browser.get(LIST).status_code == 302


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "/\\\\evil"])
def test_choosing_a_password_never_redirects_to_another_host(
    nina: IssuedPassword, as_: SignedIn, next_url: str
) -> None:
    browser = as_(nina.user)
    assert "evil" not in browser.get(PASSWORD, {"next": next_url}).content.decode()
    assert browser.post(PASSWORD, {**fields(nina.password), "next": next_url}).url == "/"


# Own password


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "htmx"])
def test_changing_keeps_this_session_and_ends_others(
    rosa: User, as_: SignedIn, headers: dict[str, str]
) -> None:
    here, elsewhere = as_(rosa), as_(rosa)
    key = here.session.session_key
    answer = here.post(PASSWORD, fields(), headers=headers)
    assert answer.status_code == (204 if headers else 302)
    assert here.session.session_key != key
    assert here.get(OWN).status_code == 200
    assert elsewhere.get(OWN).status_code == 302
    assert elsewhere.get("/api/v1/apps").status_code == 401
    assert sign_in(Client(), rosa.email, OLD).status_code == 422
    assert sign_in(Client(), rosa.email, NEW).status_code == 302


def test_account_page_shows_a_toast_after_the_change(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    assert browser.post(PASSWORD, fields()).url == OWN
    assert "Password changed." in text_of(browser.get(OWN))


@pytest.mark.parametrize(
    ("sent", "field", "expected"),
    [
        (fields(current=""), "current", "Enter your current password."),
        (fields(current="a wrong password"), "current", "Incorrect current password."),
        (fields(current="x" * 2000), "current", "Incorrect current password."),
        (fields(new="", again=""), "new", "Enter a new password."),
        (fields(new="short", again="short"), "new", "at least 12 characters"),
        (fields(new=OLD, again=OLD), "new", "must differ from the current"),
        (fields(again="correct horse batter"), "again", "The passwords don't match."),
    ],
)
def test_invalid_password_is_refused_with_the_field(
    rosa: User, as_: SignedIn, sent: dict[str, str], field: str, expected: str
) -> None:
    answer = as_(rosa).post(PASSWORD, sent)
    content = answer.content.decode()
    assert answer.status_code == 422
    assert expected in text_of(answer)
    assert f'id="{field}-error"' in content
    for text in sent.values():
        assert not text or f'value="{text}"' not in content
    assert User.objects.get().check_password(OLD)


def test_long_password_costs_no_hash(
    rosa: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        signin, "change_own_password", lambda **_: pytest.fail("the password was hashed")
    )
    assert as_(rosa).post(PASSWORD, fields(new="x" * 2000, again="x" * 2000)).status_code == 422


def test_wrong_current_passwords_are_limited(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    for _ in range(5):
        assert browser.post(PASSWORD, fields(current="a wrong one")).status_code == 422
    answer = as_(rosa).post(PASSWORD, fields())
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert User.objects.get().check_password(OLD)
    reasons = AuditEvent.objects.filter(result="Failed").values_list("reason", flat=True)
    assert set(reasons) == {"wrong current password", "too many failures"}


def test_invalid_new_password_is_not_counted_as_a_guess(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    for _ in range(6):
        assert browser.post(PASSWORD, fields(new="short", again="short")).status_code == 422
    assert browser.post(PASSWORD, fields()).status_code == 302


def test_busy_server_asks_to_retry(
    rosa: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: object) -> None:
        raise Busy("Too many sign-ins at the same time.", retry_after=5)

    monkeypatch.setattr(signin, "change_own_password", busy)
    answer = as_(rosa).post(PASSWORD, fields())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


# Signing out everywhere


def test_signing_out_everywhere_ends_all_sessions(rosa: User, as_: SignedIn) -> None:
    here, elsewhere = as_(rosa), as_(rosa)
    assert "including this one" in text_of(here.get(EVERYWHERE))
    assert elsewhere.get(OWN).status_code == 200
    answer = here.post(EVERYWHERE)
    assert answer.url == "/sign-in/"
    assert "Signed out everywhere." in text_of(here.get("/sign-in/"))
    for browser in (here, elsewhere):
        assert browser.get(OWN).status_code == 302
        assert browser.get("/api/v1/apps").status_code == 401
    assert sign_in(Client(), rosa.email, OLD).status_code == 302


def test_signing_out_from_a_dialog_opens_the_sign_in_page(rosa: User, as_: SignedIn) -> None:
    answer = as_(rosa).post(EVERYWHERE, headers=DIALOG)
    assert answer.headers["HX-Redirect"] == "/sign-in/"


# The page


def test_account_page_shows_the_users_rules(acme: Organization, as_: SignedIn) -> None:
    vera = factories.person("vera@acme.example", "Viewer", acme.training)
    group = factories.group("engineers", vera)
    factories.rule(group, "L1 researcher", acme.speech)
    text = text_of(as_(vera).get(OWN))
    assert "Viewer in project training" in text
    assert "acme / east / vision / training" in text
    assert "L1 researcher in department speech acme / east / speech Through group engineers" in text
    assert "Groups engineers" in text


def test_account_page_without_access_says_so(as_: SignedIn, db: None) -> None:
    nobody = factories.person("nobody@acme.example")
    assert "You don't have any access yet" in text_of(as_(nobody).get(OWN))


def test_rail_links_to_the_account_page(rosa: User, as_: SignedIn) -> None:
    content = as_(rosa).get(LIST).content.decode()
    assert f'href="{reverse("accounts:own")}"' in content


@pytest.mark.parametrize("rules", [1, 12])
def test_query_count_does_not_depend_on_the_number_of_rules(
    acme: Organization, as_: SignedIn, django_assert_num_queries: DjangoAssertNumQueries, rules: int
) -> None:
    vera = factories.person("vera@acme.example")
    for number in range(rules):
        factories.rule(vera, "Viewer", factories.project(f"p{number}", acme.vision))
    browser = as_(vera)
    with django_assert_num_queries(9):
        assert browser.get(OWN).status_code == 200


# Sessions


def test_sign_in_rotates_the_session(client: Client, rosa: User) -> None:
    client.session.save()
    planted = str(client.session.session_key)
    sign_in(client, rosa.email, OLD)
    assert client.session.session_key != planted
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert stranger.get(OWN).status_code == 302
