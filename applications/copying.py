"""Creating an application like another one: with the access rules that the caller can grant."""

import uuid
from dataclasses import dataclass

from django.db import transaction

from accessrules.actions.locking import lock_scopes
from accessrules.actions.rules import NewRule, create_access_rules
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import Caller
from accessrules.models import AccessRule
from applications import policy
from applications.actions.creation import create_application
from applications.actions.new_secrets import HashedSecret, IssuedSecret
from applications.models import Application
from runai_access.errors import require_success


@dataclass(frozen=True)
class RulesToCopy:
    """The visible access rules of an application: those the caller can grant, and the others."""

    grantable: list[AccessRule]
    others: list[AccessRule]


@dataclass(frozen=True)
class ApplicationCopy:
    """A new application with its client secret, and the rules of the other one."""

    issued: IssuedSecret
    rules: RulesToCopy


def rules_to_copy(authority: Authority, application: Application) -> RulesToCopy:
    """Return the access rules of `application` that the caller sees. Those of groups are not copied."""
    visible = authority.visible_rules().unexpired().filter(subject=application.subject)
    copies = RulesToCopy([], [])
    for rule in visible.select_related("role", "scope").order_by("pk"):
        is_grantable = authority.can_grant(rule.role, rule.scope)
        (copies.grantable if is_grantable else copies.others).append(rule)
    return copies


def create_application_like(
    *,
    caller: Caller,
    application_id: str | uuid.UUID,
    name: str,
    submission: uuid.UUID | None = None,
    secret: HashedSecret | None = None,
) -> ApplicationCopy:
    """Create an application with the grantable rules of another one, until these expire.

    It also has the token lifetime and the allowed addresses of the other one.

    Raises like `create_application`, NotFound if the other one is not visible, and
    ReauthenticationRequired if a rule has an administrator role.
    """
    policy.require(caller, "create")
    secret = secret or HashedSecret.new()
    with transaction.atomic():
        application = policy.visible_one(caller, application_id)
        known = rules_to_copy(caller.authority, application)
        lock_scopes(rule.scope_id for rule in known.grantable)
        issued = create_application(
            caller=caller,
            name=name,
            token_lifetime=application.token_lifetime,
            allowed_addresses=application.allowed_addresses,
            submission=submission,
            secret=secret,
        )
        rules = rules_to_copy(caller.authority, application)
        subject = issued.application.subject
        new = [NewRule(subject, rule.role, rule.scope, rule.expires_at) for rule in rules.grantable]
        for result in create_access_rules(caller=caller, rules=new):
            require_success(result)
    return ApplicationCopy(issued, rules)
