"""One's own account: a password of one's own, and signing out everywhere."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts import signin
from runai_access.accounts.actions import IssuedSecret, invite_user
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import Busy
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, text_of

OWN, PASSWORD, EVERYWHERE = "/account/", "/account/password/", "/account/sign-out-everywhere/"
OLD, NEW = "the old password", "correct horse battery"
LIST = "/applications/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", "System administrator", password=OLD)


@pytest.fixture
def nina(db: None) -> IssuedSecret:
    """Nina is new: she has a temporary password."""
    issued = invite_user(caller=SYSTEM, email="nina@acme.example")
    factories.rule(issued.user, "System administrator", factories.account())
    return issued


def fields(current: str = OLD, new: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"current": current, "new": new, "again": again}


def sign_in(client: Client, email: str, password: str, **more: str) -> object:
    return client.post("/sign-in/", {"email": email, "password": password, **more})


# A temporary password


def test_signing_in_with_a_temporary_password_leads_to_choosing_one(
    client: Client, nina: IssuedSecret
) -> None:
    wanted = f"{LIST}?sort=application"
    answer = sign_in(client, "nina@acme.example", nina.password, next=wanted)
    shown = client.get(answer.url, follow=True)
    assert shown.redirect_chain[-1][0].startswith(PASSWORD)
    assert "Choose your password" in text_of(shown)
    done = client.post(PASSWORD, {**fields(nina.password), "next": wanted})
    assert done.url == wanted
    assert "Your password is changed." in text_of(client.get(wanted))


PLACES = [LIST, OWN, "/keys/", "/api/docs/", EVERYWHERE]


@pytest.mark.parametrize("address", PLACES)
def test_until_then_every_page_leads_there(nina: IssuedSecret, as_: SignedIn, address: str) -> None:
    browser = as_(nina.user)
    answer = browser.get(address)
    assert answer.status_code == 302
    assert answer.url.partition("?")[0] == PASSWORD
    answer = browser.get(address, headers=DIALOG)
    assert answer.headers["HX-Redirect"] == PASSWORD


def test_until_then_no_form_does_anything(nina: IssuedSecret, as_: SignedIn) -> None:
    browser = as_(nina.user)
    before = AuditEvent.objects.count()
    number = "6f0d2c5e-6a5e-4a39-8f0a-0d1c7f7d9f11"
    answer = browser.post("/applications/new/", {"name": "ci", "submission": number})
    assert (answer.status_code, answer.url) == (302, PASSWORD)
    assert AuditEvent.objects.count() == before


def test_until_then_the_api_refuses_the_session(nina: IssuedSecret, as_: SignedIn) -> None:
    browser = as_(nina.user)
    for path in ("apps", "users", "authorization/permissions"):
        answer = browser.get(f"/api/v1/{path}")
        assert answer.status_code == 403
        assert "temporary" in answer.json()["details"]
    made = browser.post("/api/v1/apps", {"name": "ci"}, content_type="application/json")
    assert made.status_code == 403
    browser.post(PASSWORD, fields(nina.password))
    assert browser.get("/api/v1/apps").status_code == 200


def test_until_then_one_can_sign_out_and_choose_a_theme(nina: IssuedSecret, as_: SignedIn) -> None:
    browser = as_(nina.user)
    assert browser.post("/theme/", {"theme": "dark", "next": PASSWORD}).url == PASSWORD
    assert browser.post("/sign-out/").url == "/sign-in/"
    assert browser.get(PASSWORD).url.startswith("/sign-in/")


def test_choosing_is_refused_as_long_as_something_will_not_do(
    nina: IssuedSecret, as_: SignedIn
) -> None:
    browser = as_(nina.user)
    answer = browser.post(PASSWORD, fields(nina.password, nina.password, nina.password))
    assert answer.status_code == 422
    assert "Choose one that differs" in text_of(answer)
    assert nina.password not in answer.content.decode()
    assert browser.get(LIST).status_code == 302


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "/\\\\evil"])
def test_choosing_never_leads_to_another_host(
    nina: IssuedSecret, as_: SignedIn, next_url: str
) -> None:
    browser = as_(nina.user)
    assert "evil" not in browser.get(PASSWORD, {"next": next_url}).content.decode()
    assert browser.post(PASSWORD, {**fields(nina.password), "next": next_url}).url == "/"


# One's own password


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "htmx"])
def test_changing_keeps_this_session_and_ends_the_others(
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


def test_the_account_page_says_that_it_is_changed(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    assert browser.post(PASSWORD, fields()).url == OWN
    assert "Your password is changed." in text_of(browser.get(OWN))


@pytest.mark.parametrize(
    ("sent", "field", "expected"),
    [
        (fields(current=""), "current", "Enter the password that you have now."),
        (fields(current="a wrong password"), "current", "This is not your password."),
        (fields(current="x" * 2000), "current", "This is not your password."),
        (fields(new="", again=""), "new", "Enter a new password."),
        (fields(new="short", again="short"), "new", "at least 12 characters"),
        (fields(new=OLD, again=OLD), "new", "differs from the current"),
        (fields(again="correct horse batter"), "again", "This differs from the new password."),
    ],
)
def test_what_will_not_do_is_told_beside_its_field_and_nothing_is_sent_back(
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


def test_what_is_too_long_costs_no_hash(
    rosa: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "change_own_password", lambda **_: pytest.fail("a hash was paid"))
    assert as_(rosa).post(PASSWORD, fields(new="x" * 2000, again="x" * 2000)).status_code == 422


def test_an_open_session_is_no_place_to_guess_the_password(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    for _ in range(5):
        assert browser.post(PASSWORD, fields(current="a wrong one")).status_code == 422
    answer = as_(rosa).post(PASSWORD, fields())
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert User.objects.get().check_password(OLD)
    reasons = AuditEvent.objects.filter(result="Failed").values_list("reason", flat=True)
    assert set(reasons) == {"wrong current password", "too many failures"}


def test_a_new_password_that_will_not_do_is_no_guess(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    for _ in range(6):
        assert browser.post(PASSWORD, fields(new="short", again="short")).status_code == 422
    assert browser.post(PASSWORD, fields()).status_code == 302


def test_too_many_at_once_are_asked_to_come_back(
    rosa: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: object) -> None:
        raise Busy("Too many sign-ins at the same time.", retry_after=5)

    monkeypatch.setattr(signin, "change_own_password", busy)
    answer = as_(rosa).post(PASSWORD, fields())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


# Everywhere


def test_signing_out_everywhere_ends_every_session(rosa: User, as_: SignedIn) -> None:
    here, elsewhere = as_(rosa), as_(rosa)
    assert "this one too" in text_of(here.get(EVERYWHERE))
    assert elsewhere.get(OWN).status_code == 200
    answer = here.post(EVERYWHERE)
    assert answer.url == "/sign-in/"
    assert "You are signed out everywhere." in text_of(here.get("/sign-in/"))
    for browser in (here, elsewhere):
        assert browser.get(OWN).status_code == 302
        assert browser.get("/api/v1/apps").status_code == 401
    assert sign_in(Client(), rosa.email, OLD).status_code == 302


def test_from_a_dialog_it_leads_to_the_sign_in_page(rosa: User, as_: SignedIn) -> None:
    answer = as_(rosa).post(EVERYWHERE, headers=DIALOG)
    assert answer.headers["HX-Redirect"] == "/sign-in/"


# The page


def test_everyone_has_a_page_of_their_own_with_their_rules(
    acme: Organization, as_: SignedIn
) -> None:
    vera = factories.person("vera@acme.example", "Viewer", acme.training)
    group = factories.group("engineers", vera)
    factories.rule(group, "L1 researcher", acme.speech)
    text = text_of(as_(vera).get(OWN))
    assert "Viewer in project training" in text
    assert "acme / east / vision / training" in text
    assert "L1 researcher in department speech acme / east / speech Through group engineers" in text
    assert "Groups engineers" in text


def test_who_may_do_nothing_is_told_so(as_: SignedIn, db: None) -> None:
    nobody = factories.person("nobody@acme.example")
    assert "you have no access rule" in text_of(as_(nobody).get(OWN))


def test_the_rail_leads_there(rosa: User, as_: SignedIn) -> None:
    content = as_(rosa).get(LIST).content.decode()
    assert f'href="{reverse("accounts:own")}"' in content


@pytest.mark.parametrize("rules", [1, 12])
def test_the_page_takes_as_many_queries_for_one_rule_as_for_many(
    acme: Organization, as_: SignedIn, django_assert_num_queries: DjangoAssertNumQueries, rules: int
) -> None:
    vera = factories.person("vera@acme.example")
    for number in range(rules):
        factories.rule(vera, "Viewer", factories.project(f"p{number}", acme.vision))
    browser = as_(vera)
    with django_assert_num_queries(7):
        assert browser.get(OWN).status_code == 200


# New at sign-in


def test_the_session_is_a_new_one_at_sign_in(client: Client, rosa: User) -> None:
    client.session.save()
    planted = str(client.session.session_key)
    sign_in(client, rosa.email, OLD)
    assert client.session.session_key != planted
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert stranger.get(OWN).status_code == 302
