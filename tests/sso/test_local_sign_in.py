"""RUNAI_ACCESS_LOCAL_SIGN_IN, break-glass users, and confirmation with the provider."""

from datetime import timedelta
from time import time

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accessrules.authorization.callers import SYSTEM
from runai_access import environment
from runai_access.accounts.actions import make_administrator
from runai_access.accounts.models import User
from runai_access.accounts.sessions import AUTHENTICATED_AT
from runai_access.accounts.sso.actions import create_group_mapping, disconnect_identity
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, Denied
from tests import factories
from tests.sso.conftest import FakeProvider, begin, finish, sign_in

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def enter(email: str) -> bool:
    """Return whether the password lets this user in."""
    client = Client()
    client.post("/sign-in/", {"email": email, "password": PASSWORD})
    return client.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        ("everyone", {"rosa", "ada", "rescue"}),
        ("administrators", {"ada", "rescue"}),
        ("off", {"rescue"}),
    ],
)
def test_setting_decides_who_can_use_a_password(
    provider: FakeProvider, settings: Settings, mode: str, allowed: set[str]
) -> None:
    factories.person("rosa@acme.example", "Viewer", password=PASSWORD)
    factories.person("ada@acme.example", "System administrator", password=PASSWORD)
    factories.person("rescue@acme.example", password=PASSWORD)
    User.objects.filter(email__startswith="rescue").update(is_break_glass=True)
    settings.LOCAL_SIGN_IN = mode
    assert {name for name in ("rosa", "ada", "rescue") if enter(f"{name}@acme.example")} == allowed
    reasons = AuditEvent.objects.filter(action="sign-in", result="Succeeded")
    assert "with a password, break-glass" in reasons.values_list("reason", flat=True)


def test_refused_password_looks_like_a_wrong_one(
    client: Client, provider: FakeProvider, settings: Settings
) -> None:
    settings.LOCAL_SIGN_IN = "off"
    factories.person("rosa@acme.example", password=PASSWORD)
    answers = [
        client.post("/sign-in/", {"email": "rosa@acme.example", "password": password})
        for password in (PASSWORD, "wrong")
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert all(b"Incorrect email or password." in answer.content for answer in answers)


def test_form_is_hidden_if_local_sign_in_is_off(
    client: Client, provider: FakeProvider, settings: Settings
) -> None:
    settings.LOCAL_SIGN_IN = "off"
    assert b'name="password"' not in client.get("/sign-in/").content
    assert b'name="password"' in client.get("/sign-in/?local=1").content


def test_command_marks_break_glass_users_and_audits_it(db: None) -> None:
    for wanted in (True, None, False):
        user = make_administrator(
            caller=SYSTEM, email="ada@acme.example", password=PASSWORD + "!", is_break_glass=wanted
        )
        assert user.is_break_glass == (wanted is not False)
    changes = AuditEvent.objects.filter(action="update").values_list("changes", flat=True)
    assert [change["isBreakGlass"] for change in changes if "isBreakGlass" in change] == [
        [False, True],
        [True, False],
    ]


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example")


@pytest.fixture
def ada(client: Client, provider: FakeProvider) -> User:
    """Ada is connected, and signed in to `client` too long ago for a dangerous action."""
    user = factories.person("ada@acme.example", "System administrator")
    SocialAccount.objects.create(user=user, provider=provider.issuer, uid="1")
    client.force_login(user)
    session = client.session
    signed_in = timezone.now() - timedelta(seconds=settings.REAUTHENTICATION_SECONDS + 1)
    session[AUTHENTICATED_AT] = signed_in.timestamp()
    session.save()
    return user


def _is_recent(client: Client) -> bool:
    return timezone.now().timestamp() - client.session[AUTHENTICATED_AT] < 60


def test_provider_confirms_a_dangerous_action(
    client: Client, provider: FakeProvider, ada: User
) -> None:
    assert not _is_recent(client)
    request = begin(client, provider, "/account/confirm/provider/", next="/activity/")
    assert (request["prompt"], request["max_age"]) == ("login", "0")
    provider.claims = {"auth_time": int(time())}
    assert finish(client, request).url == "/activity/"
    assert _is_recent(client)


@pytest.mark.parametrize("claims", [{"sub": "2"}, {"auth_time": int(time()) - 3600}])
def test_other_user_or_old_authentication_confirms_nothing(
    client: Client, provider: FakeProvider, ada: User, claims: dict[str, object]
) -> None:
    provider.claims = claims
    finish(client, begin(client, provider, "/account/confirm/provider/"))
    assert not _is_recent(client)


def test_session_starts_with_the_authentication_at_the_provider(
    provider: FakeProvider, ada: User
) -> None:
    for claims, is_recent in (
        ({"auth_time": int(time())}, True),
        ({"auth_time": int(time()) - 3600}, False),
        ({}, False),  # the provider might not have asked
    ):
        provider.claims = claims
        other = Client()
        assert sign_in(other, provider).status_code == 302
        assert _is_recent(other) is is_recent


def test_user_of_the_provider_changes_a_temporary_password_in_the_dialog(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    sign_in(client, provider)
    User.objects.filter(pk=rosa.pk).update(
        temporary_password_until=timezone.now() + timedelta(days=1)
    )
    page = client.get("/account/password/", headers={"HX-Request": "true"})
    assert "with a temporary password" not in page.content.decode()


def test_signed_in_administrator_connects_their_identity(
    client: Client, provider: FakeProvider
) -> None:
    ada = factories.person("ada@acme.example", "System administrator")
    client.force_login(ada)
    finish(client, begin(client, provider, "/account/connect/"))
    assert SocialAccount.objects.get(user=ada).uid == "1"
    other = factories.person("eve@acme.example")
    client.force_login(other)
    finish(client, begin(client, provider, "/account/connect/"), code="two")
    assert not SocialAccount.objects.filter(user=other).exists()


def test_connecting_requires_a_recent_authentication(
    client: Client, provider: FakeProvider, ada: User
) -> None:
    answer = client.post("/account/connect/")
    assert answer.status_code == 302
    assert answer.url.startswith("/account/confirm/")


def test_flow_of_another_user_connects_nothing(client: Client, provider: FakeProvider) -> None:
    rosa, eve = factories.person("rosa@acme.example"), factories.person("eve@acme.example")
    client.force_login(eve)
    request = begin(client, provider, "/account/connect/")
    session = dict(client.session.items())["socialaccount_states"]
    client.force_login(rosa)
    changed = client.session
    changed["socialaccount_states"] = session
    changed.save()
    finish(client, request)
    assert not SocialAccount.objects.exists()


def test_disconnecting_ends_sessions_and_requires_every_permission(
    client: Client, provider: FakeProvider, ada: User
) -> None:
    clerk = factories.person("clerk@acme.example")
    factories.rule(clerk, "Viewer", factories.account())
    with pytest.raises(Denied):
        disconnect_identity(caller=factories.caller(clerk), user_id=ada.pk)
    disconnect_identity(caller=SYSTEM, user_id=ada.pk)
    assert client.get("/account/").status_code == 302
    assert not SocialAccount.objects.exists()


def test_mapping_requires_every_permission_of_the_group(db: None) -> None:
    admins = factories.group("admins")
    factories.rule(admins, "System administrator", factories.account())
    role = factories.custom_role("Group manager", groups="crud")
    manager = factories.person("mia@acme.example", role.name)
    with pytest.raises(Denied):
        create_group_mapping(caller=factories.caller(manager), value="eng", group=admins)
    others = factories.group("others")
    create_group_mapping(caller=factories.caller(manager), value="eng", group=others)
    with pytest.raises(Conflict):
        create_group_mapping(caller=factories.caller(manager), value="eng", group=others)


def test_page_lists_creates_and_deletes_mappings(client: Client, provider: FakeProvider) -> None:
    client.force_login(factories.person("ada@acme.example", "System administrator"))
    group = factories.group("engineers")
    created = client.post("/groups/mappings/new/", {"value": "eng", "group": str(group.pk)})
    assert created.status_code == 302
    page = client.get("/groups/mappings/")
    (mapping,) = page.context["mappings"]
    assert b">eng<" in page.content
    assert b"engineers" in page.content
    assert client.get(f"/groups/mappings/{mapping.pk}/delete/").status_code == 200
    client.post(f"/groups/mappings/{mapping.pk}/delete/")
    assert list(client.get("/groups/mappings/").context["mappings"]) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"ISSUER": "https://id.example"},
        {"ISSUER": "http://id.example", "CLIENT_ID": "x", "CLIENT_SECRET": "y"},
        {"ISSUER": "https://id.example?x", "CLIENT_ID": "x", "CLIENT_SECRET": "y"},
        {"ISSUER": "https://id.example", "CLIENT_ID": "x", "CLIENT_SECRET": "y", "SCOPES": "email"},
        {"ISSUER": "https://id.example", "CLIENT_ID": "x", "CLIENT_SECRET": "y", "NAME": "x" * 41},
    ],
)
def test_bad_settings_are_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"RUNAI_ACCESS_OIDC_{name}", value)
    with pytest.raises(ImproperlyConfigured, match="RUNAI_ACCESS_OIDC"):
        environment.openid_provider()


def test_local_sign_in_needs_a_provider_to_be_restricted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_LOCAL_SIGN_IN", "off")
    with pytest.raises(ImproperlyConfigured, match="RUNAI_ACCESS_LOCAL_SIGN_IN"):
        environment.local_sign_in(has_provider=False)
