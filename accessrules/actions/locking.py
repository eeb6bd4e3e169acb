"""Locks of actions, acquired in this order: the account, other scopes, subjects."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from accessrules.models import ACCOUNT_PATH, Scope, Subject
from runai_access.errors import NotFound

T = TypeVar("T", Scope, Subject)


def lock_administration() -> None:
    """Serialize changes to administrators, so that two requests can't remove the last two.

    On SQLite, the IMMEDIATE transaction is already that lock.
    """
    if connection.features.has_select_for_update:
        Scope.objects.select_for_update().get(path=ACCOUNT_PATH)


def lock_scope(scope: Scope) -> Scope:
    """Lock and re-read `scope`. Raises NotFound if it was deleted."""
    return existing(lock_scopes([scope.pk]), scope)


def lock_scopes(keys: Iterable[int]) -> dict[int, Scope]:
    """Lock the scopes with these keys, and return those that exist, by key."""
    scopes = Scope.objects.select_for_update().filter(pk__in=set(keys)).order_by("pk")
    return {scope.pk: scope for scope in scopes}


def lock_subject(subject: Subject) -> Subject:
    """Lock and re-read `subject`. Raises NotFound if it was retired."""
    (locked,) = lock_subjects([subject])
    return locked


def lock_subjects(subjects: Collection[Subject]) -> list[Subject]:
    """Lock and re-read `subjects`. Raises NotFound if one was retired."""
    locked = lock_living_subjects(subject.pk for subject in subjects)
    return [existing(locked, subject) for subject in subjects]


def lock_living_subjects(keys: Iterable[UUID]) -> dict[UUID, Subject]:
    """Lock the subjects with these keys, and return those that are not retired, by key."""
    # No key changes, so checks of foreign keys, which can come last in a transaction, need not wait.
    unlocked = Subject.objects.living().select_for_update(no_key=True)
    return {subject.pk: subject for subject in unlocked.filter(pk__in=set(keys)).order_by("pk")}


def existing(locked: Mapping[Any, T], wanted: T) -> T:
    """Return the locked row of `wanted`. Raises NotFound if there is none."""
    if wanted.pk not in locked:
        raise NotFound(f"The {wanted.label} no longer exists.")
    return locked[wanted.pk]
