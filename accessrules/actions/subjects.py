"""What users, applications and groups have in common: their subjects."""

import uuid
from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils import timezone

from accessrules.actions.locking import lock_administration, lock_subjects
from accessrules.actions.rules import delete_rules, require_an_administrator
from accessrules.authorization.callers import Caller
from accessrules.models import AccessRule, Subject, SubjectQuerySet
from runai_access.db.normalization import is_storable
from runai_access.errors import Conflict, NotFound


def create_subject(*, type_: Subject.Type, name: str, field: str = "name") -> Subject:
    """Create the subject of a new user, application or group, in the caller's transaction.

    Raises Conflict if an active subject has an equal name, also one created concurrently. `field` is
    the input field of the name.
    """
    subject = Subject(id=uuid.uuid4(), type=type_, name=name)
    # Application names are lower-case ASCII, so the unique constraint alone finds equal names.
    if type_ != Subject.Type.APP:
        _require_free(subject, name, field)
    try:
        with transaction.atomic():
            subject.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(taken(name, by=name), field=field) from error
    return subject


def rename_subject(subject: Subject, name: str) -> None:
    """Rename a locked group, in the caller's transaction. Raises Conflict for an equal active name."""
    _require_free(subject, name, "name")
    subject.name = name
    subject.save(update_fields=["name", "normalized_name"])


def _require_free(subject: Subject, name: str, field: str) -> None:
    """Raise Conflict if another active subject of the same type has an equal name."""
    lock_administration()
    living = Subject.objects.living().filter(type=subject.type).exclude(pk=subject.pk)
    same = living.same_name(name).first()
    if same is not None:
        raise Conflict(taken(name, by=same.name), field=field)


def taken(name: str, *, by: str, where: str = "") -> str:
    """Return the error message for a name that is equal to an existing one."""
    place = f" in {where}" if where else ""
    if by == name:
        return f"The name {name} is taken{place}."
    return f"The name {name} is taken{place}: it is equal to {by}."


def retire_subjects(subjects: Collection[Subject], *, caller: Caller) -> list[AccessRule]:
    """Soft-delete the subjects' rules and retire them, in the caller's transaction.

    Return the deleted rules.

    A caller who can delete a subject can delete all its rules with it, including rules that the
    caller could not delete alone. Raises NotFound if a subject is already retired.
    """
    lock_administration()
    lock_subjects(subjects)  # so that no rule is added concurrently
    living = AccessRule.objects.living().filter(subject__in=subjects)
    rules = list(living.select_related("subject", "role", "scope"))
    delete_rules(rules, caller)
    now = timezone.now()
    Subject.objects.filter(pk__in=[subject.pk for subject in subjects]).update(
        enabled=False, retired_at=now
    )
    for subject in subjects:
        subject.enabled, subject.retired_at = False, now
        require_an_administrator(without=subject)
    return rules


def restore_subject(subject_id: uuid.UUID, *, enabled: bool) -> Subject:
    """Make a retired subject active again, in the caller's transaction.

    Raises NotFound if it is not retired, Conflict if another subject has its name.
    """
    retired = Subject.objects.exclude(retired_at=None).select_for_update(no_key=True)
    subject = retired.filter(pk=subject_id).first()
    if subject is None:
        raise NotFound("Resource id not found.")
    subject.enabled, subject.retired_at = enabled, None
    try:
        with transaction.atomic():
            subject.save(update_fields=["enabled", "retired_at"])
    except IntegrityError as error:
        raise Conflict(taken(subject.name, by=subject.name), field="name") from error
    return subject


def set_subject_enabled(subject: Subject, *, enabled: bool) -> None:
    """Enable or disable a subject, in the caller's transaction."""
    set_subjects_enabled([subject], enabled=enabled)


def set_subjects_enabled(subjects: Collection[Subject], *, enabled: bool) -> None:
    """Enable or disable subjects, in the caller's transaction."""
    if not enabled:
        lock_administration()
    keys = [subject.pk for subject in subjects]
    Subject.objects.filter(pk__in=keys).update(enabled=enabled)
    for subject in subjects:
        subject.enabled = enabled
        if not enabled:
            require_an_administrator(without=subject)


def find_subject(type_: str, name_or_id: str) -> Subject:
    """Return the active subject with this type and this name or id. Raises NotFound.

    Subjects that are not visible to the caller are found too: otherwise a department administrator
    could never add the first rule for one.
    """
    living = Subject.objects.living().filter(type=type_)
    subject = None
    if is_storable(name_or_id):
        subject = living.one_named(name_or_id) or _by_id(living, name_or_id)
    if subject is None:
        raise NotFound(f"{Subject.Type(type_).label} {name_or_id!r} not found.")
    return subject


def _by_id(subjects: SubjectQuerySet, text: str) -> Subject | None:
    try:
        return subjects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        return None
