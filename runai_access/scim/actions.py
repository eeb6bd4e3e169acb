"""The action on external IDs. For all else that SCIM changes, it calls the actions of the pages."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accessrules.actions.locking import lock_subject
from accessrules.authorization.callers import Caller
from accessrules.authorization.policies import Policy
from accessrules.models import Subject
from runai_access.accounts import policy
from runai_access.audit.recorder import Entity, record
from runai_access.scim.models import EXTERNAL_ID_MAX_LENGTH, ExternalId

_POLICIES: dict[str, Policy[Any]] = {
    Subject.Type.USER: policy.USERS,
    Subject.Type.GROUP: policy.GROUPS,
}


@transaction.atomic
def set_external_id(*, caller: Caller, subject: Subject, value: str) -> None:
    """Set the external ID of a user or group; an empty one removes it.

    Raises Denied, NotFound, ValidationError for an invalid value.
    """
    if len(value) > EXTERNAL_ID_MAX_LENGTH or not value.isprintable():
        message = f"An external ID has at most {EXTERNAL_ID_MAX_LENGTH} printable characters."
        raise ValidationError({"externalId": message})
    locked = lock_subject(subject)
    _POLICIES[locked.type].require(caller.refresh_authority(), "update")
    found = ExternalId.objects.filter(subject=locked)
    before = found.values_list("value", flat=True).first() or ""
    if value == before:
        return
    if value:
        ExternalId.objects.update_or_create(subject=locked, defaults={"value": value})
    else:
        found.delete()
    changes = {"externalId": [before or None, value or None]}
    entity = Entity(locked.type, str(locked.pk), locked.name)
    record("update", entity, actor=caller.actor, changes=changes)
