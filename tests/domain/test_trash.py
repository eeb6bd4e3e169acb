"""Restoring deleted applications."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accessrules.actions.scopes import delete_scope
from accessrules.authorization.authority import ACCOUNT, allowed
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, GroupMembership
from applications.actions.creation import create_application
from applications.actions.deletion import delete_application, delete_applications
from applications.models import Application, DeletedApplication, searched_details_of
from applications.oauth.secret_verification import authenticate
from applications.oauth.tokens import InvalidToken, application_of, issue
from applications.trash import restore_application
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, Denied, NotFound, ReauthenticationRequired
from tests import factories
from tests.domain.conftest import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam() -> Caller:
    """Sam is System administrator."""
    return factories.caller(factories.person("sam@acme.example", "System administrator"))


def delete(application: Application) -> uuid.UUID:
    delete_application(caller=SYSTEM, application_id=application.pk)
    return application.pk


def test_restored_application_has_its_id_rules_and_details(acme: Organization, sam: Caller) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]), ("Editor", acme["sales"]))
    login = timezone.now().replace(microsecond=0) - timedelta(days=3)
    Application.objects.filter(pk=ci.pk).update(token_lifetime=600, last_login=login)
    created_at = ci.created_at
    restored = restore_application(caller=sam, application_id=delete(ci))
    ci = Application.objects.get(subject__name="ci", subject__retired_at=None)
    assert ci.pk == restored.application.pk
    assert (ci.created_by, ci.created_at, ci.last_login, ci.token_lifetime) == (
        factories.MAKER, created_at, login, 600,
    )  # fmt: skip
    assert ci.enabled
    assert ci.is_enabled
    rules = AccessRule.objects.living().filter(subject=ci.subject)
    assert [str(rule) for rule in rules] == ["ci is Viewer in " + acme["vision"].label,
                                             "ci is Editor in " + acme["sales"].label]  # fmt: skip
    assert ci.first_rule == f"Viewer in {acme['vision'].name}"
    assert all(rule.application_created_at == created_at for rule in rules)
    assert restored.restoration.lost_rules == []
    assert not DeletedApplication.objects.exists()


def test_owner_description_labels_and_addresses_come_back(sam: Caller) -> None:
    ops = factories.group("ops")
    ci = factories.application("ci")
    ci.owner, ci.description, ci.labels = ops, "Trains", {"env": "prod"}
    ci.allowed_addresses = "192.0.2.0/24"
    ci.searched_details = searched_details_of(ci.description, ci.labels)
    ci.save()
    restored = restore_application(caller=sam, application_id=delete(ci)).application
    restored.refresh_from_db()
    assert (restored.owner, restored.description, restored.labels) == (
        ops, "Trains", {"env": "prod"},
    )  # fmt: skip
    assert (restored.allowed_addresses, restored.owner_name) == ("192.0.2.0/24", "ops")
    assert restored.searched_details == ci.searched_details != ""


def test_rules_are_restored_until_they_expire(acme: Organization, sam: Caller) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]), ("Editor", acme["sales"]))
    now = timezone.now()
    for name, expiry in (
        ("Viewer", now + timedelta(days=1)),
        ("Editor", now + timedelta(hours=-1)),
    ):
        AccessRule.objects.filter(subject=ci.subject, role__name=name).update(expires_at=expiry)
    restored = restore_application(caller=sam, application_id=delete(ci))
    (rule,) = AccessRule.objects.living().filter(subject=ci.subject)
    assert (rule.role.name, rule.expires_at) == ("Viewer", now + timedelta(days=1))
    assert [lost.role for lost in restored.restoration.lost_rules] == ["Editor"]


def test_secrets_and_tokens_never_come_back(sam: Caller) -> None:
    issued = create_application(caller=SYSTEM, name="ci")
    application = authenticate("ci", issued.secret)
    assert application
    token = issue(application).text
    restore_application(caller=sam, application_id=delete(issued.application))
    assert authenticate("ci", issued.secret) is None
    with pytest.raises(InvalidToken):
        application_of(token)
    ci = Application.objects.get()
    assert (ci.secrets.count(), ci.secret_count) == (0, 0)


def test_disabled_application_is_restored_disabled(sam: Caller) -> None:
    ci = factories.application("ci")
    ci.subject.enabled = False
    ci.subject.save()
    assert not restore_application(caller=sam, application_id=delete(ci)).application.enabled


def test_taken_name_refuses_the_restoration(sam: Caller) -> None:
    key = delete(factories.application("ci"))
    create_application(caller=sam, name="ci")
    with pytest.raises(Conflict, match="The name ci is taken"):
        restore_application(caller=sam, application_id=key)
    assert DeletedApplication.objects.get().pk == key
    assert Application.objects.count() == 1


def test_rules_of_deleted_scopes_are_lost_and_listed(acme: Organization, sam: Caller) -> None:
    ci = factories.application("ci", ("Viewer", acme["forecast"]), ("Viewer", acme["vision"]))
    key, label = delete(ci), acme["forecast"].label
    delete_scope(caller=SYSTEM, scope=acme["forecast"])
    restored = restore_application(caller=sam, application_id=key)
    assert list(map(str, restored.restoration.lost_rules)) == [f"Viewer in {label}"]
    assert [rule.scope for rule in AccessRule.objects.living().filter(subject=key)] == [
        acme["vision"]
    ]


@pytest.mark.parametrize("through_group", [False, True])
def test_restoring_requires_each_permission_that_comes_back(
    acme: Organization, through_group: bool
) -> None:
    factories.custom_role("Application manager", apps="crud")
    kim = factories.caller(factories.person("kim@acme.example", "Application manager"))
    ci = factories.application("ci")
    holder = factories.group("ops", ci) if through_group else ci
    factories.rule(holder, "Viewer", acme["vision"])
    key = delete(ci)
    with pytest.raises(Denied, match=r"ci has .* in project vision"):
        restore_application(caller=kim, application_id=key)
    assert DeletedApplication.objects.get().pk == key
    assert not Application.objects.exists()
    assert AuditEvent.objects.filter(subject_name="kim@acme.example").count() == 0
    assert factories.caller(kim.subject or ci).authority.allows("create", "apps", ACCOUNT)


def test_group_memberships_come_back(acme: Organization, sam: Caller) -> None:
    ci = factories.application("ci")
    factories.rule(factories.group("ops", ci), "Viewer", acme["vision"])
    restore_application(caller=sam, application_id=delete(ci))
    assert GroupMembership.objects.filter(member=ci.pk).exists()
    ci = Application.objects.get()
    assert allowed(ci.subject, "read", "workloads", acme["vision"])


def test_administrator_role_requires_a_recent_sign_in() -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    ci = factories.application("ci", ("System administrator", factories.account()))
    key, long_ago = delete(ci), timezone.now() - timedelta(days=1)
    with pytest.raises(ReauthenticationRequired):
        restore_application(
            caller=Caller(sam.subject, authenticated_at=long_ago), application_id=key
        )
    assert not Application.objects.exists()


def test_after_30_days_an_application_cannot_be_restored(sam: Caller) -> None:
    key = delete(factories.application("ci"))
    DeletedApplication.objects.update(deleted_at=timezone.now() - timedelta(days=30))
    with pytest.raises(NotFound):
        restore_application(caller=sam, application_id=key)


def test_application_can_be_deleted_and_restored_again(acme: Organization, sam: Caller) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]))
    for _ in range(2):
        restore_application(caller=sam, application_id=delete(ci))
    assert AccessRule.objects.living().filter(subject=ci.pk).count() == 1
    with pytest.raises(NotFound):
        restore_application(caller=sam, application_id=ci.pk)


def test_restoration_is_audited(acme: Organization, sam: Caller) -> None:
    key = delete(factories.application("ci", ("Viewer", acme["vision"])))
    restore_application(caller=sam, application_id=key)
    application, rule = AuditEvent.objects.filter(action="create").order_by("pk")
    assert (application.entity_type, application.entity_id) == ("application", str(key))
    assert application.changes == {"name": [None, "ci"], "restored": [None, True]}
    assert (rule.entity_type, rule.subject_name) == ("access_rule", "sam@acme.example")


def test_bulk_deletion_keeps_the_rules_of_each_application(acme: Organization) -> None:
    both = [factories.application(name, ("Viewer", acme[name])) for name in ("vision", "sales")]
    delete_applications(caller=SYSTEM, applications=both)
    kept = {one.name: list(map(str, one.deleted_rules)) for one in DeletedApplication.objects.all()}
    assert kept == {name: [f"Viewer in {acme[name].label}"] for name in ("vision", "sales")}
