"""Creating an application like another one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accessrules.authorization.callers import Caller
from accessrules.models import AccessRule, Subject
from applications.copying import create_application_like
from applications.models import Application
from applications.oauth.secret_verification import authenticate
from runai_access.errors import Conflict, Denied, NotFound, ReauthenticationRequired
from tests import factories
from tests.domain.conftest import Organization

pytestmark = pytest.mark.django_db


def rules_of(name: str) -> list[str]:
    rules = AccessRule.objects.living().filter(subject__name=name)
    return [f"{rule.role} in {rule.scope.name}" for rule in rules]


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("L1 researcher", acme["vision"]), ("Viewer", acme["sales"]))


def test_copy_has_the_rules_the_token_lifetime_and_the_addresses(ci: Application) -> None:
    Application.objects.filter(pk=ci.pk).update(
        token_lifetime=600, allowed_addresses="192.0.2.0/24"
    )
    factories.group("ops", ci)
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    copy = create_application_like(caller=sam, application_id=ci.pk, name="cd")
    assert rules_of("cd") == rules_of("ci") == ["L1 researcher in vision", "Viewer in sales"]
    assert authenticate("cd", copy.issued.secret)
    assert copy.issued.application.token_lifetime == 600
    assert copy.issued.application.allowed_addresses == "192.0.2.0/24"
    assert not Subject.objects.get(name="cd").group_memberships.exists()


def test_copied_rules_expire_with_the_others(ci: Application) -> None:
    now = timezone.now()
    rules = AccessRule.objects.filter(subject=ci.subject)
    rules.filter(role__name="Viewer").update(expires_at=now - timedelta(hours=1))
    rules.exclude(role__name="Viewer").update(expires_at=now + timedelta(days=1))
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    create_application_like(caller=sam, application_id=ci.pk, name="cd")
    (rule,) = AccessRule.objects.living().filter(subject__name="cd")
    assert (rule.role.name, rule.expires_at) == ("L1 researcher", now + timedelta(days=1))


def test_rules_that_the_caller_cannot_grant_are_not_copied(
    acme: Organization, ci: Application
) -> None:
    factories.custom_role("Application manager", apps="cr", access_rules="r")
    kim = factories.person("kim@acme.example", "Application manager")
    factories.rule(kim, "Department administrator", acme["vision"])
    copy = create_application_like(caller=factories.caller(kim), application_id=ci.pk, name="cd")
    assert rules_of("cd") == ["L1 researcher in vision"]
    assert [str(rule.scope) for rule in copy.rules.others] == ["sales"]


def test_rules_that_the_caller_does_not_see_are_not_named(
    acme: Organization, ci: Application
) -> None:
    factories.custom_role("Application manager", apps="cr")
    kim = factories.caller(factories.person("kim@acme.example", "Application manager"))
    copy = create_application_like(caller=kim, application_id=ci.pk, name="cd")
    assert (copy.rules.grantable, copy.rules.others) == ([], [])
    assert rules_of("cd") == []


def test_copying_requires_creating_applications(acme: Organization, ci: Application) -> None:
    dina = factories.person("dina@acme.example", "Department administrator", acme["vision"])
    with pytest.raises(Denied):
        create_application_like(caller=factories.caller(dina), application_id=ci.pk, name="cd")


def test_copying_an_unknown_application_or_to_a_taken_name_creates_nothing(
    ci: Application,
) -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    with pytest.raises(NotFound):
        create_application_like(caller=sam, application_id=factories.UNKNOWN_ID, name="cd")
    with pytest.raises(Conflict):
        create_application_like(caller=sam, application_id=ci.pk, name="ci")
    assert Application.objects.count() == 1


def test_copying_an_administrator_role_requires_a_recent_sign_in(ci: Application) -> None:
    factories.rule(ci, "System administrator", factories.account())
    sam = factories.person("sam@acme.example", "System administrator")
    caller = Caller(sam.subject, authenticated_at=timezone.now() - timedelta(days=1))
    with pytest.raises(ReauthenticationRequired):
        create_application_like(caller=caller, application_id=ci.pk, name="cd")
    assert Application.objects.count() == 1
