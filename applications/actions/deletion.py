"""Deleting applications."""

import uuid
from collections.abc import Collection

from django.db import transaction

from accessrules.actions.subjects import retire_subjects
from accessrules.authorization.callers import Caller
from applications import policy
from applications.actions.changes import entity_of
from applications.actions.locking import lock_all_for, lock_one_with_subject_for
from applications.models import Application, DeletedApplication
from runai_access.audit.recorder import record_all


@transaction.atomic
def delete_application(*, caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Delete an application with its credential, tokens and access rules.

    `trash.restore_application` can restore it for TRASH_DAYS. Raises NotFound, Denied.
    """
    application = lock_one_with_subject_for(caller, "delete", application_id)
    _delete([application], caller)
    return application


@transaction.atomic
def delete_applications(
    *, caller: Caller, applications: Collection[Application]
) -> list[Application]:
    """Delete visible applications in one transaction; return those that still existed.

    The number of queries does not depend on the number of applications. The transaction blocks all
    changes to access rules, so pass at most a few hundred. Raises Denied.
    """
    policy.require(caller, "delete")
    locked = lock_all_for(caller, "delete", applications)
    _delete(locked, caller)
    return locked


def _delete(applications: list[Application], caller: Caller) -> None:
    kept = [DeletedApplication.of(one, deleted_by=caller.name) for one in applications]
    rules = retire_subjects([application.subject for application in applications], caller=caller)
    DeletedApplication.objects.keep(kept, rules)
    Application.objects.filter(pk__in=[application.pk for application in applications]).delete()
    record_all(
        (
            ("delete", entity_of(application), {"name": [application.name, None]})
            for application in applications
        ),
        actor=caller.actor,
    )
