"""How an operator names a subject or a scope on the command line."""

from django.core.management import CommandError
from django.db.models.lookups import Exact

from accessrules.actions.rules import find_subject
from accessrules.models import ACCOUNT_PATH, Scope, ScopeQuerySet, Subject
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import normalized
from runai_access.errors import NotFound

# What an operator may call a type of scope, and what the wire contract calls it.
SCOPE_TYPES = {
    "account": Scope.Type.TENANT,
    "tenant": Scope.Type.TENANT,
    "cluster": Scope.Type.CLUSTER,
    "department": Scope.Type.DEPARTMENT,
    "project": Scope.Type.PROJECT,
    "system": Scope.Type.SYSTEM,
}

SUBJECT_TYPES = {
    "app": Subject.Type.APP,
    "application": Subject.Type.APP,
    "service-account": Subject.Type.APP,
    "user": Subject.Type.USER,
    "group": Subject.Type.GROUP,
}


def subject_named(text: str) -> Subject:
    """Return the living subject that `text` names: app:ci-pipeline, user:ada@example.com, group:ops."""
    type_name, _, name = text.partition(":")
    type_ = SUBJECT_TYPES.get(type_name)
    if type_ is None or not name:
        raise CommandError(
            f"SUBJECT must look like app:ci-pipeline-prod, not {text!r}; "
            f"the types are {', '.join(SUBJECT_TYPES)}."
        )
    try:
        return find_subject(type_, name)
    except NotFound as error:
        raise CommandError(str(error)) from error


def scope_named(text: str, *, called: str) -> Scope:
    """Return the scope that `text` names by type and name or id: project:vision-train.

    `account` alone is enough. `called` is the operator's name for the argument.
    """
    type_name, _, name_or_id = text.partition(":")
    type_ = SCOPE_TYPES.get(type_name)
    if type_ == Scope.Type.TENANT and text == type_name:
        return Scope.objects.get(path=ACCOUNT_PATH)
    if type_ is None or not name_or_id:
        raise CommandError(
            f"{called} must look like project:vision-train, not {text!r}; "
            f"the types are {', '.join(SCOPE_TYPES)}."
        )
    scopes = Scope.objects.filter(type=type_)
    by_id = scopes.filter(uid=name_or_id).first()
    if by_id is not None:
        return by_id
    named = [] if type_ == Scope.Type.SYSTEM else _scopes_named(scopes, name_or_id)
    if not named:
        raise CommandError(f"There is no {type_name} {name_or_id!r}.")
    if len(named) > 1:
        ids = "\n".join(f"  {type_name}:{scope.uid}  in {scope.parent}" for scope in named)
        raise CommandError(f"{len(named)} {type_name}s are named {name_or_id}; say which:\n{ids}")
    return named[0]


def _scopes_named(scopes: ScopeQuerySet, name: str) -> list[Scope]:
    """Return the scopes of exactly that name, else those whose names compare equal."""
    same = list(scopes.filter(Exact(normalized("name"), normalize(name))))
    return [scope for scope in same if scope.name == name] or same
