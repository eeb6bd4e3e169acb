"""The actions that change the details of applications: owner, description, labels, addresses."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from accessrules.actions.locking import lock_subject
from accessrules.actions.subjects import find_subject
from accessrules.authorization.callers import Caller
from accessrules.models import Subject
from applications import policy
from applications.actions.changes import entity_of
from applications.actions.locking import lock_applications
from applications.addresses import valid_networks
from applications.models import Application, searched_details_of
from applications.validators import check_label_count, valid_description, valid_labels
from runai_access.audit.recorder import record_all
from runai_access.errors import Conflict, NotFound

OWNER_TYPES = (Subject.Type.USER, Subject.Type.GROUP)
_WRITTEN = (
    "owner", "description", "labels", "allowed_addresses", "searched_details", "updated_at",
)  # fmt: skip


@dataclass(frozen=True)
class DetailsChange:
    """A change of details; None leaves a detail as it is.

    `owner` is the name of a user or a group, or "" for none; `owner_type` says which if both exist.
    `labels` replaces all labels; `added` labels and the keys `removed` change some of them. `networks`
    replaces the allowed addresses.
    """

    owner: str | None = None
    owner_type: str = ""
    description: str | None = None
    labels: Mapping[str, str] | None = None
    added: Mapping[str, str] = field(default_factory=dict)
    removed: Collection[str] = ()
    networks: Sequence[str] | None = None

    def labels_of(self, application: Application) -> dict[str, str]:
        """Return the labels that the application will have."""
        before = application.labels if self.labels is None else self.labels
        kept = {key: value for key, value in before.items() if key not in self.removed}
        return {**kept, **self.added}


@transaction.atomic
def change_details(
    *, caller: Caller, application_id: str | uuid.UUID, change: DetailsChange
) -> Application:
    """Change the details of an application.

    Raises NotFound, Denied, and ValidationError for an unknown owner, an invalid text or label, and too
    many labels.
    """
    visible = policy.one_for(caller, "update", application_id)
    stored, owner = validated(change)
    locked = _lock(caller, [visible], owner)
    if not locked:
        raise NotFound("Resource id not found.")
    try:
        check_label_count(stored.labels_of(locked[0]))
    except ValidationError as error:
        raise ValidationError({"labels": error.messages}) from error
    _apply(locked, stored, owner, caller)
    return locked[0]


@transaction.atomic
def change_details_of_many(
    *, caller: Caller, applications: Collection[Application], change: DetailsChange
) -> dict[uuid.UUID, Conflict | None]:
    """Change the details of visible applications in one transaction.

    Return the refusal of each application that still exists, or None if it succeeded. Raises Denied,
    and ValidationError for an unknown owner and an invalid text or label.
    """
    policy.require(caller, "update")
    stored, owner = validated(change)
    locked = _lock(caller, applications, owner)
    refusals = {application.pk: _refusal(application, stored) for application in locked}
    _apply([one for one in locked if refusals[one.pk] is None], stored, owner, caller)
    return refusals


def validated(change: DetailsChange) -> tuple[DetailsChange, Subject | None]:
    """Return the change as it is stored, and the new owner. Raises ValidationError with all errors."""
    errors: dict[str, list[str]] = {}

    def valid(name: str, check: Callable[[Any], Any], value: Any) -> Any:
        try:
            return check(value) if value else value
        except ValidationError as error:
            errors.setdefault(name, []).extend(error.messages)

    owner = valid("owner", partial(find_owner, type_=change.owner_type), change.owner)
    stored = replace(
        change,
        description=valid("description", valid_description, change.description),
        labels=valid("labels", valid_labels, change.labels),
        added=valid("labels", valid_labels, change.added),
        networks=valid("allowedAddresses", valid_networks, change.networks),
    )
    if errors:
        raise ValidationError(errors)
    return stored, owner or None


def find_owner(name: str, *, type_: str = "") -> Subject:
    """Return the user or group with this name. Raises ValidationError."""
    for one in [type_] if type_ else OWNER_TYPES:
        try:
            return find_subject(one, name)
        except NotFound:
            continue
    raise ValidationError(f"There is no user or group named “{name[:100]}”.")


def _lock(
    caller: Caller, applications: Collection[Application], owner: Subject | None
) -> list[Application]:
    """Lock the new owner, so that it is not deleted meanwhile, and those that still exist."""
    if owner is not None:
        lock_subject(owner)
    locked = lock_applications([application.pk for application in applications])
    policy.require(caller.refresh_authority(), "update")
    return locked


def _refusal(application: Application, change: DetailsChange) -> Conflict | None:
    try:
        check_label_count(change.labels_of(application))
    except ValidationError as error:
        return Conflict(" ".join(error.messages), field="labels")
    return None


def _apply(
    applications: list[Application], change: DetailsChange, owner: Subject | None, caller: Caller
) -> None:
    prefetch_related_objects(applications, "owner")
    changes_of: dict[Application, dict[str, list[str | None]]] = {}
    for application in applications:
        before = _facts(application)
        if change.owner is not None:
            application.owner = owner
        if change.description is not None:
            application.description = change.description
        if change.networks is not None:
            application.allowed_addresses = " ".join(change.networks)
        application.labels = change.labels_of(application)
        after = _facts(application)
        changes = {name: [before[name], after[name]] for name in after}
        changes = {name: values for name, values in changes.items() if values[0] != values[1]}
        if changes:
            application.updated_at = timezone.now()
            application.searched_details = searched_details_of(
                application.description, application.labels
            )
            changes_of[application] = changes
    Application.objects.bulk_update(list(changes_of), _WRITTEN)
    record_all(
        (
            ("update", entity_of(application), changes)
            for application, changes in changes_of.items()
        ),
        actor=caller.actor,
    )


def _facts(application: Application) -> dict[str, str | None]:
    """Return the details as the audit log stores them."""
    owner = application.living_owner
    return {
        "owner": owner.name if owner else None,
        "description": application.description or None,
        "labels": ", ".join(application.label_texts) or None,
        "allowedAddresses": ", ".join(application.networks) or None,
    }
