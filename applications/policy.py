"""Who may do what with applications: the decision module's answers, in this app's words.

Applications belong to the account, so every action asks for `apps` there.
"""

from uuid import UUID

from accessrules.authorization import ACCOUNT
from accessrules.callers import Caller
from applications.models import Application, ApplicationQuerySet
from runai_access.errors import NotFound


def may(caller: Caller, action: str) -> bool:
    """Return whether the caller may create, update or delete applications."""
    return caller.authority.allows(action, "apps", ACCOUNT)


def require(caller: Caller, action: str) -> None:
    """Raise Denied unless the caller may."""
    caller.authority.require(action, "apps", ACCOUNT)


def require_anywhere(caller: Caller, action: str) -> None:
    """Raise Denied where the caller may do this to no application at all: asked first of all."""
    caller.authority.require_anywhere(action, "apps")


def visible(caller: Caller) -> ApplicationQuerySet:
    """Return the applications in the caller's sight; raise Denied where it may read none at all."""
    require_anywhere(caller, "read")
    return Application.objects.visible_to(caller.authority).select_related("subject")


def visible_one(caller: Caller, id_: str | UUID) -> Application:
    """Return one application in sight; raise NotFound for any other id, whatever its form."""
    try:
        return visible(caller).get(pk=UUID(str(id_)))
    except (ValueError, Application.DoesNotExist):
        raise NotFound("Resource id not found.") from None


def one_for(caller: Caller, action: str, id_: str | UUID) -> Application:
    """Return the application to do `action` on.

    Raises Denied where the caller may do it to none, NotFound out of sight, and Denied in sight but
    not allowed, in this order (contract/README.md, 401, 403, 404).
    """
    require_anywhere(caller, action)
    application = visible_one(caller, id_)
    require(caller, action)
    return application
