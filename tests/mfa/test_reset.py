"""Administrators remove the second factors of users who lost them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accessrules.authorization.callers import SYSTEM
from applications.oauth.tokens import issue
from runai_access.accounts.mfa.actions import reset_factors
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.accounts.sessions import AUTHENTICATED_AT
from runai_access.audit.models import AuditEvent
from runai_access.errors import Denied, NotFound
from tests import factories
from tests.mfa.conftest import enter_password, factor_changes, is_signed_in, with_app
from tests.mfa.test_requirement import ENROLL

pytestmark = pytest.mark.django_db
REMOVED = "authenticator app, recovery codes"


@pytest.fixture
def ada(client: Client) -> User:
    """Ada is System administrator, and signed in to `client`."""
    user = factories.person("ada@acme.example", "System administrator")
    client.force_login(user)
    return user


@pytest.fixture
def phone(rosa: User) -> Client:
    """A browser in which Rosa is signed in."""
    browser = Client()
    browser.force_login(rosa)
    return browser


def test_page_removes_factors_and_ends_sessions(
    client: Client, ada: User, rosa: User, phone: Client
) -> None:
    page = client.get(f"/users/{rosa.pk}/").content
    assert b"RESET SECOND FACTORS" in page
    assert b"Authenticator app, Recovery codes" in page
    url = f"/users/{rosa.pk}/reset-factors/"
    assert b"Remove the second factors of rosa@acme.example?" in client.get(url).content
    assert client.post(url).url.startswith("/users/")
    assert not factors_of(rosa).exists()
    assert not is_signed_in(phone)
    assert factor_changes() == [[REMOVED, None]]
    assert AuditEvent.objects.get(action="update").subject_name == ada.email
    enter_password(phone)
    assert is_signed_in(phone), "the password is enough again"
    assert b"RESET SECOND FACTORS" not in client.get(f"/users/{rosa.pk}/").content


def test_user_who_must_have_a_factor_sets_up_another_one(
    client: Client, rosa: User, settings: Settings
) -> None:
    settings.REQUIRE_MFA = "everyone"
    reset_factors(caller=SYSTEM, user_id=rosa.pk)
    enter_password(client)
    assert client.get("/account/").url.startswith(ENROLL)


def test_api_removes_factors(rosa: User, phone: Client) -> None:
    program = factories.application("ops", ("System administrator", factories.account()))
    browser = Client(headers={"Authorization": f"Bearer {issue(program).text}"})
    url = f"/api/v1/users/{rosa.pk}/factors"
    assert browser.delete(url).status_code == 204
    assert not factors_of(rosa).exists()
    assert not is_signed_in(phone)
    assert browser.delete(url).status_code == 404
    assert AuditEvent.objects.get(action="update").subject_name == "ops"


def test_command_removes_factors(rosa: User, phone: Client) -> None:
    out = StringIO()
    call_command("reset_factors", "Rosa@acme.example", stdout=out)
    assert out.getvalue() == "Removed the second factors of rosa@acme.example.\n"
    assert not factors_of(rosa).exists()
    assert not is_signed_in(phone)
    assert AuditEvent.objects.get(action="update").subject_name == "system"
    for email in ("rosa@acme.example", "nobody@acme.example"):
        with pytest.raises(CommandError, match=email):
            call_command("reset_factors", email, stdout=out)


def test_reset_requires_every_permission_of_the_user(client: Client, rosa: User) -> None:
    clerk = factories.person(
        "clerk@acme.example", factories.custom_role("Clerk", users="crud").name
    )
    client.force_login(clerk)
    with pytest.raises(Denied):
        reset_factors(caller=factories.caller(clerk), user_id=rosa.pk)
    assert client.post(f"/users/{rosa.pk}/reset-factors/").status_code == 403
    assert client.delete(f"/api/v1/users/{rosa.pk}/factors").status_code == 403
    assert factors_of(rosa).exists()
    other = factories.person("gus@acme.example")
    with_app(other)
    reset_factors(caller=factories.caller(clerk), user_id=other.pk)
    with pytest.raises(NotFound):
        reset_factors(caller=factories.caller(clerk), user_id=other.pk)


def test_reset_requires_a_recent_authentication(client: Client, ada: User, rosa: User) -> None:
    session = client.session
    session[AUTHENTICATED_AT] = 1
    session.save()
    url = f"/users/{rosa.pk}/reset-factors/"
    for answer in (client.get(url), client.post(url)):
        assert answer.url.startswith("/account/confirm/")
    assert client.delete(f"/api/v1/users/{rosa.pk}/factors").status_code == 403
    assert factors_of(rosa).exists()


def test_resetting_oneself_ends_the_own_session(client: Client, ada: User) -> None:
    with_app(ada)
    assert client.post(f"/users/{ada.pk}/reset-factors/").url == "/sign-in/"
    assert not is_signed_in(client)
