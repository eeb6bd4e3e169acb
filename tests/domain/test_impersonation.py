"""Privilege escalation: creating a credential for a subject requires all its permissions."""

import pytest
from django.utils import timezone

from accessrules.authorization.authority import authority_of
from accessrules.models import AccessRule, Role, Scope, Subject
from applications.actions.deletion import delete_application
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled
from applications.models import Application
from runai_access.accounts.actions import reset_password
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import Denied
from tests import factories
from tests.domain.conftest import Organization

NEW_PASSWORD = "correct horse battery"


@pytest.fixture
def keeper(acme: Organization) -> User:
    """Kim has all permissions on applications and users, and no others."""
    kim = factories.person("kim@acme.example")
    _grant(kim, factories.custom_role("Keeper", apps="crud", users="crud"), acme["account"])
    return kim


def _grant(holder: factories.Holder, role: Role, scope: Scope) -> None:
    AccessRule.objects.create(
        subject=factories.subject_of(holder), role=role, scope=scope, created_by="test"
    )


def _disabled(application: Application) -> Application:
    application.subject.enabled = False
    application.subject.save()
    return application


def test_regenerating_requires_the_permissions_of_the_application(
    acme: Organization, keeper: User
) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    with pytest.raises(
        Denied, match=r"^ci-prod has .+ in project vision\. To manage its credentials"
    ):
        regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk)
    assert ci.secrets.get() == ci.used_secret
    assert not AuditEvent.objects.exists()


def test_enabling_requires_the_permissions_of_the_application(
    acme: Organization, keeper: User
) -> None:
    ci = _disabled(factories.application("ci-prod", ("L1 researcher", acme["vision"])))
    with pytest.raises(Denied, match="ci-prod has"):
        set_application_enabled(caller=factories.caller(keeper), application_id=ci.pk, enabled=True)
    ci.subject.refresh_from_db()
    assert not ci.subject.enabled


@pytest.mark.parametrize("step", ["disable", "delete"])
def test_disabling_and_deleting_require_no_further_permissions(
    acme: Organization, keeper: User, step: str
) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    caller = factories.caller(keeper)
    if step == "disable":
        set_application_enabled(caller=caller, application_id=ci.pk, enabled=False)
    else:
        delete_application(caller=caller, application_id=ci.pk)
    ci.subject.refresh_from_db()
    assert not ci.subject.enabled


def test_permissions_of_groups_count(acme: Organization, keeper: User) -> None:
    ci = factories.application("ci-prod")
    factories.rule(factories.group("pipelines", ci), "L1 researcher", acme["vision"])
    with pytest.raises(Denied, match="ci-prod has"):
        regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk)


def test_leftover_rules_of_a_retired_group_do_not_count(acme: Organization, keeper: User) -> None:
    ci = factories.application("ci-prod")
    group = factories.group("pipelines", ci)
    factories.rule(group, "L1 researcher", acme["vision"])
    Subject.objects.filter(pk=group.pk).update(enabled=False, retired_at=timezone.now())
    assert regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk).secret


def test_permissions_of_a_disabled_application_count(acme: Organization, keeper: User) -> None:
    ci = _disabled(factories.application("ci-prod", ("L1 researcher", acme["vision"])))
    with pytest.raises(Denied, match="ci-prod has"):
        regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk)


def test_the_same_role_in_a_narrower_scope_is_not_enough(acme: Organization, keeper: User) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["research"]))
    factories.rule(keeper, "L1 researcher", acme["vision"])
    factories.rule(keeper, "L1 researcher", acme["speech"])
    with pytest.raises(Denied, match="in department research"):
        regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk)


@pytest.mark.parametrize("place", ["research", "alpha", "account"])
def test_the_same_role_at_or_above_is_enough(acme: Organization, keeper: User, place: str) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["research"]))
    factories.rule(keeper, "L1 researcher", acme[place])
    issued = regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk)
    assert issued.application.pk == ci.pk


def test_every_rule_must_be_covered(acme: Organization, keeper: User) -> None:
    factories.rule(keeper, "L1 researcher", acme["alpha"])
    ci = factories.application(
        "ci-prod", ("L1 researcher", acme["vision"]), ("Viewer", acme["batch"])
    )
    with pytest.raises(Denied, match="in project batch"):
        regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk)


def test_deleted_rules_do_not_count(acme: Organization, keeper: User) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    deleted_rule = AccessRule.objects.get(subject=ci.subject)
    AccessRule.objects.filter(pk=deleted_rule.pk).update(deleted_at=deleted_rule.created_at)
    assert regenerate_secret(caller=factories.caller(keeper), application_id=ci.pk).secret


def test_an_application_can_regenerate_its_own_secret(
    acme: Organization,
) -> None:
    rotator = factories.application("rotator", ("System administrator", acme["account"]))
    issued = regenerate_secret(caller=factories.caller(rotator), application_id=rotator.pk)
    assert issued.application == rotator


def test_resetting_a_password_requires_the_permissions_of_the_user(
    acme: Organization, keeper: User
) -> None:
    """Keycloak CVE-2025-7784: user managers could become administrators."""
    sam = factories.person("sam@acme.example", "System administrator", password="old password 12")
    with pytest.raises(Denied, match=r"^sam@acme\.example has"):
        reset_password(caller=factories.caller(keeper), email=sam.email, password=NEW_PASSWORD)
    assert User.objects.get(pk=sam.pk).check_password("old password 12")


def test_the_password_of_a_weaker_user_can_be_reset(acme: Organization, keeper: User) -> None:
    rosa = factories.person("rosa@acme.example", "Viewer", acme["vision"])
    factories.rule(keeper, "Viewer", acme["alpha"])
    reset_password(caller=factories.caller(keeper), email=rosa.email, password=NEW_PASSWORD)
    assert User.objects.get(pk=rosa.pk).check_password(NEW_PASSWORD)


def test_account_administrators_cannot_impersonate_holders_on_system(
    acme: Organization,
) -> None:
    sam = factories.person("sam@acme.example", "System administrator", acme["account"])
    sol = factories.person("sol@acme.example", "Viewer", acme["system"])
    with pytest.raises(Denied, match="in system system"):
        authority_of(sam.subject).require_can_impersonate(sol.subject)
