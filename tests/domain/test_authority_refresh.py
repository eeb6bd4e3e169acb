"""Actions re-read the caller's permissions after taking locks (TOCTOU)."""

import inspect
from collections.abc import Callable
from itertools import product
from types import ModuleType

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from accessrules.actions import groups as group_actions
from accessrules.actions import rules as rule_actions
from accessrules.actions import scopes as scope_actions
from accessrules.actions import subjects as subject_actions
from accessrules.authorization.callers import Caller
from accessrules.models import AccessRule, GroupMembership, Subject
from applications import containment, copying, trash
from applications.actions import creation, deletion, secrets, status, token_lifetime
from applications.models import Application
from runai_access.accounts import actions as people_actions
from runai_access.accounts.mfa import actions as factor_actions
from runai_access.accounts.models import GroupMapping, User
from runai_access.accounts.sso import actions as sign_on_actions
from runai_access.audit.models import AuditEvent
from runai_access.errors import Denied, require_success
from runai_access.scim import actions as scim_actions
from runai_access.settings import IS_SQLITE
from tests import factories, sizes
from tests.domain.conftest import Organization
from tests.domain.racing import together

ADMINISTRATOR = "System administrator"


class Company:
    """The objects of the actions: applications, a user, a group with that user, a rule."""

    def __init__(self, acme: Organization) -> None:
        self.acme = acme
        self.ci = factories.application("ci")
        self.off = factories.application("off")
        self.leaked = factories.application("leaked")
        Subject.objects.filter(pk__in=[self.off.pk, self.leaked.pk]).update(enabled=False)
        Application.objects.filter(pk=self.leaked.pk).update(contained_at=timezone.now())
        self.pat = factories.person("pat@acme.example")
        self.ops = factories.group("ops", self.pat)
        self.mapping = GroupMapping.objects.create(value="staff", group_id=self.ops.pk)
        SocialAccount.objects.create(user=self.pat, provider="https://id.example", uid="pat")
        Authenticator.objects.create(user=self.pat, type="totp", data={})
        self.rule = factories.rule(self.ci, "Viewer", acme["vision"])
        self.gone = factories.deleted_application("gone", ("Viewer", acme["vision"]))


Act = Callable[[Caller, Company], object]
ACTS: dict[str, Act] = {
    "create_access_rule": lambda caller, its: rule_actions.create_access_rule(
        caller=caller,
        subject=its.ci.subject,
        role=factories.role("Viewer"),
        scope=its.acme["speech"],
    ),
    "delete_access_rule": lambda caller, its: rule_actions.delete_access_rule(
        caller=caller, rule_id=its.rule.pk
    ),
    "create_access_rules": lambda caller, its: require_success(
        rule_actions.create_access_rules(
            caller=caller,
            rules=[
                rule_actions.NewRule(its.ci.subject, factories.role("Viewer"), its.acme["speech"])
            ],
        )[0]
    ),
    "delete_access_rules": lambda caller, its: rule_actions.delete_access_rules(
        caller=caller, rule_ids=[its.rule.pk]
    ),
    "create_group": lambda caller, _: group_actions.create_group(caller=caller, name="dev"),
    "rename_group": lambda caller, its: group_actions.rename_group(
        caller=caller, group=its.ops, name="dev"
    ),
    "change_members": lambda caller, its: group_actions.change_members(
        caller=caller, group=its.ops, added=[its.ci.subject], removed=[its.pat.subject]
    ),
    "delete_group": lambda caller, its: group_actions.delete_group(caller=caller, group=its.ops),
    "set_group_enabled": lambda caller, its: group_actions.set_group_enabled(
        caller=caller, group=its.ops, enabled=False
    ),
    "add_member": lambda caller, its: group_actions.add_member(
        caller=caller, group=its.ops, member=its.ci.subject
    ),
    "remove_member": lambda caller, its: group_actions.remove_member(
        caller=caller, group=its.ops, member=its.pat.subject
    ),
    "create_scope": lambda caller, its: scope_actions.create_scope(
        caller=caller, parent=its.acme["sales"], name="new"
    ),
    "rename_scope": lambda caller, its: scope_actions.rename_scope(
        caller=caller, scope=its.acme["sales"], name="new"
    ),
    "move_scope": lambda caller, its: scope_actions.move_scope(
        caller=caller, scope=its.acme["vision"], target=its.acme["sales"]
    ),
    "delete_scope": lambda caller, its: scope_actions.delete_scope(
        caller=caller, scope=its.acme["forecast"]
    ),
    "create_application": lambda caller, _: creation.create_application(caller=caller, name="new"),
    "create_application_without_secret": lambda caller, _: (
        creation.create_application_without_secret(caller=caller, name="new")
    ),
    "regenerate_secret": lambda caller, its: secrets.regenerate_secret(
        caller=caller, application_id=its.ci.pk
    ),
    "add_secret": lambda caller, its: secrets.add_secret(caller=caller, application_id=its.ci.pk),
    "revoke_secret": lambda caller, its: secrets.revoke_secret(
        caller=caller, application_id=its.ci.pk, secret_id=its.ci.secrets.get().pk
    ),
    "set_application_enabled": lambda caller, its: status.set_application_enabled(
        caller=caller, application_id=its.off.pk, enabled=True
    ),
    "contain_application": lambda caller, its: containment.contain_application(
        caller=caller, application_id=its.ci.pk
    ),
    "replace_secret_and_enable": lambda caller, its: containment.replace_secret_and_enable(
        caller=caller, application_id=its.leaked.pk
    ),
    "set_token_lifetime": lambda caller, its: token_lifetime.set_token_lifetime(
        caller=caller, application_id=its.ci.pk, seconds=600
    ),
    "delete_application": lambda caller, its: deletion.delete_application(
        caller=caller, application_id=its.ci.pk
    ),
    "restore_application": lambda caller, its: trash.restore_application(
        caller=caller, application_id=its.gone.pk
    ),
    "create_application_like": lambda caller, its: copying.create_application_like(
        caller=caller, application_id=its.ci.pk, name="new"
    ),
    "set_applications_enabled": lambda caller, its: status.set_applications_enabled(
        caller=caller, applications=[its.off], enabled=True
    ),
    "delete_applications": lambda caller, its: deletion.delete_applications(
        caller=caller, applications=[its.ci]
    ),
    "create_user": lambda caller, _: people_actions.create_user(
        caller=caller, email="new@acme.example", password=None
    ),
    "invite_user": lambda caller, _: people_actions.invite_user(
        caller=caller, email="new@acme.example"
    ),
    "give_temporary_password": lambda caller, its: people_actions.give_temporary_password(
        caller=caller, user_id=its.pat.pk
    ),
    "reset_password": lambda caller, its: people_actions.reset_password(
        caller=caller, email=its.pat.email, password="correct horse battery staple"
    ),
    "rename_user": lambda caller, its: people_actions.rename_user(
        caller=caller, user_id=its.pat.pk, display_name="Pat"
    ),
    "delete_user": lambda caller, its: people_actions.delete_user(
        caller=caller, user_id=its.pat.pk
    ),
    "sign_out_user": lambda caller, its: people_actions.sign_out_user(
        caller=caller, user_id=its.pat.pk
    ),
    "set_external_id": lambda caller, its: scim_actions.set_external_id(
        caller=caller, subject=its.pat.subject, value="00u1"
    ),
    "create_group_mapping": lambda caller, its: sign_on_actions.create_group_mapping(
        caller=caller, value="ops", group=its.ops
    ),
    "delete_group_mapping": lambda caller, its: sign_on_actions.delete_group_mapping(
        caller=caller, mapping_id=its.mapping.pk
    ),
    "disconnect_identity": lambda caller, its: sign_on_actions.disconnect_identity(
        caller=caller, user_id=its.pat.pk
    ),
    "reset_factors": lambda caller, its: factor_actions.reset_factors(
        caller=caller, user_id=its.pat.pk
    ),
    "set_user_enabled": lambda caller, its: people_actions.set_user_enabled(
        caller=caller, user_id=its.pat.pk, enabled=False
    ),
}
# They check no permission: they act on the caller's own account, or their callers check it.
WITHOUT_AUTHORITY = {
    "retire_subjects", "delete_rules", "restore_access_rules", "change_own_password", "end_own_session",
    "end_own_sessions", "own_session", "own_user", "lock_own_user", "make_administrator",
    "connect_own_identity",
    "visible_mapping", "set_up_app", "add_passkey", "rename_passkey", "remove_factor",
    "renew_recovery_codes",
    # Of a sign-in: the identity provider decides, and the system is the caller.
    "sign_on", "apply_group_mappings",
}  # fmt: skip


def _end_rule(sam: User) -> None:
    AccessRule.objects.filter(subject=sam.subject).update(deleted_at=timezone.now())


def _disable(sam: User) -> None:
    Subject.objects.filter(pk=sam.pk).update(enabled=False)


def _leave_group(sam: User) -> None:
    _end_rule(sam)
    GroupMembership.objects.filter(member=sam.subject).delete()


def _disable_group(sam: User) -> None:
    _end_rule(sam)
    Subject.objects.filter(name="administrators").update(enabled=False)


ENDS: dict[str, Callable[[User], None]] = {
    "the rule is deleted": _end_rule,
    "the caller is disabled": _disable,
    "the caller left the group": _leave_group,
    "the group is disabled": _disable_group,
}


PAIRS = list(product(ACTS, ENDS))


# Each action reads permissions in the same way, so small runs on PostgreSQL try every third pair.
@pytest.mark.parametrize(("act", "end"), PAIRS[:: 1 if IS_SQLITE or sizes.IS_LARGE else 3])
def test_permissions_removed_during_a_request_are_denied(
    acme: Organization, act: str, end: str
) -> None:
    factories.person(
        "sara@acme.example", ADMINISTRATOR
    )  # so that the last administrator can be removed
    sam = factories.person("sam@acme.example", ADMINISTRATOR)
    if "group" in end:
        factories.rule(factories.group("administrators", sam), ADMINISTRATOR, acme["account"])
    company, caller = Company(acme), factories.caller(sam)
    assert caller.authority.reads_audit_log  # as a view does first
    ENDS[end](sam)
    with pytest.raises(Denied):
        ACTS[act](caller, company)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_unchanged_permissions_are_allowed(acme: Organization, act: str) -> None:
    caller = factories.caller(factories.person("sam@acme.example", ADMINISTRATOR))
    ACTS[act](caller, Company(acme))
    assert AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "module",
    [
        rule_actions,
        subject_actions,
        group_actions,
        scope_actions,
        creation,
        deletion,
        secrets,
        status,
        token_lifetime,
        trash,
        copying,
        containment,
        people_actions,
        scim_actions,
        sign_on_actions,
        factor_actions,
    ],
)
def test_every_action_is_tested(module: ModuleType) -> None:
    asked = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if "caller" in inspect.signature(function).parameters
        and function.__module__ == module.__name__
        and not name.startswith("_")
    }
    assert asked <= ACTS.keys() | WITHOUT_AUTHORITY


@pytest.mark.django_db(transaction=True)
def test_concurrent_administrators_cannot_remove_each_other() -> None:
    factories.person("ada@acme.example", ADMINISTRATOR)
    sam, sara = (factories.person(f"{name}@acme.example") for name in ("sam", "sara"))
    rules = [factories.rule(person, ADMINISTRATOR, factories.account()) for person in (sam, sara)]
    callers = [factories.caller(person) for person in (sara, sam)]
    assert all(caller.authority.reads_audit_log for caller in callers)
    outcomes = together(
        [
            lambda: rule_actions.delete_access_rule(caller=callers[0], rule_id=rules[0].pk),
            lambda: rule_actions.delete_access_rule(caller=callers[1], rule_id=rules[1].pk),
        ]
    )
    assert {type(outcome) for outcome in outcomes} == {AccessRule, Denied}, outcomes
    assert AccessRule.objects.living().count() == 2
