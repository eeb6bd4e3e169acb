"""Parsing of subject and scope references on the command line."""

from django.core.management import CommandError
from django.db.models.lookups import Exact

from accessrules.actions.subjects import find_subject
from accessrules.models import ACCOUNT_PATH, Scope, ScopeQuerySet, Subject
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import normalized
from runai_access.errors import NotFound

# Names of scope types on the command line, and in the wire contract.
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
    """Return the active subject of a reference such as app:ci-pipeline or user:ada@example.com."""
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


def names_application(text: str) -> bool:
    """Return whether this is a reference to an application, such as app:ci-pipeline."""
    type_name, separator, _ = text.partition(":")
    return bool(separator) and SUBJECT_TYPES.get(type_name) == Subject.Type.APP


def scope_named(text: str, *, argument: str) -> Scope:
    """Return the scope of a reference by type and name or id, such as project:vision-train.

    `account` needs no name. `argument` is the name of the argument in error messages.
    """
    type_name, _, name_or_id = text.partition(":")
    type_ = SCOPE_TYPES.get(type_name)
    if type_ == Scope.Type.TENANT and text == type_name:
        return Scope.objects.get(path=ACCOUNT_PATH)
    if type_ is None or not name_or_id:
        raise CommandError(
            f"{argument} must look like project:vision-train, not {text!r}; "
            f"the types are {', '.join(SCOPE_TYPES)}."
        )
    scopes = Scope.objects.filter(type=type_)
    by_id = scopes.filter(uid=name_or_id).first()
    if by_id is not None:
        return by_id
    named = [] if type_ == Scope.Type.SYSTEM else _scopes_named(scopes, name_or_id)
    if not named:
        raise CommandError(f"{type_name.capitalize()} {name_or_id!r} not found.")
    if len(named) > 1:
        ids = "\n".join(f"  {type_name}:{scope.uid}  in {scope.parent}" for scope in named)
        raise CommandError(f"{len(named)} {type_name}s are named {name_or_id}. Use one of:\n{ids}")
    return named[0]


def _scopes_named(scopes: ScopeQuerySet, name: str) -> list[Scope]:
    """Return the scopes with exactly this name, else those with an equal name."""
    equal = list(scopes.filter(Exact(normalized("name"), normalize(name))))
    return [scope for scope in equal if scope.name == name] or equal
