"""The policy of applications: authorization decisions for this resource type."""

from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from accessrules.authorization.callers import Caller
from accessrules.authorization.policies import Policy
from applications.models import Application, DeletedApplication
from runai_access.errors import NotFound

_APPLICATIONS: Policy[QuerySet[Application]] = Policy(
    "apps", lambda: Application.objects.select_related("subject")
)

is_allowed = _APPLICATIONS.is_allowed
require = _APPLICATIONS.require
require_anywhere = _APPLICATIONS.require_anywhere
sees_all = _APPLICATIONS.sees_all
visible = _APPLICATIONS.visible


def visible_one(caller: Caller, id_: str | UUID) -> Application:
    """Return a visible application. Raises NotFound for any other id, also a malformed one."""
    application: Application = _APPLICATIONS.visible_one(caller, id_)
    return application


def one_for(caller: Caller, action: str, id_: str | UUID) -> Application:
    """Return the application to perform `action` on. Raises Denied or NotFound (see Policy.one_for)."""
    application: Application = _APPLICATIONS.one_for(caller, action, id_)
    return application


def one_to_manage_secrets(caller: Caller, id_: str | UUID) -> Application:
    """Return the application whose secrets to add, regenerate or revoke. Raises like `one_for`."""
    require_anywhere(caller, "update")
    application = visible_one(caller, id_)
    require_can_manage_secrets(caller, application)
    return application


def require_can_manage_secrets(caller: Caller, application: Application) -> None:
    """Raise Denied unless the caller can add, regenerate and revoke the application's secrets."""
    caller.authority.require_can_manage_secrets(application.subject, application.owner_id)


def can_manage_secrets(caller: Caller, application: Application) -> bool:
    """Return whether the caller can add, regenerate and revoke the application's secrets."""
    return caller.authority.can_manage_secrets(application.subject, application.owner_id)


def deleted(caller: Caller) -> QuerySet[DeletedApplication]:
    """Return the applications that can be restored. Raises Denied.

    They have no access rules that could make them visible in a narrower scope, so this requires
    reading all applications.
    """
    require(caller, "read")
    return DeletedApplication.objects.restorable()


def deleted_one(caller: Caller, id_: str | UUID) -> DeletedApplication:
    """Return an application that can be restored. Raises Denied, NotFound."""
    try:
        return deleted(caller).get(pk=UUID(str(id_)))
    except (ValueError, ObjectDoesNotExist):
        raise NotFound("Resource id not found.") from None
