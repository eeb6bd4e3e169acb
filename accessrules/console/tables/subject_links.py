"""URLs of the pages of subjects. The apps that own subjects register their views here."""

from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import READ_AS
from accessrules.models import AccessRule, Subject
from runai_access.row_urls import row_url

_views: dict[str, str] = {}


def register_subject_page(type_: Subject.Type, view: str) -> None:
    """Register the view that shows subjects of this type. Its only argument is the subject's id."""
    _views[type_] = view


def subject_page(rule: AccessRule, authority: Authority) -> str:
    """Return the URL of the page of a rule's subject; "" if it is not visible to the caller.

    A subject is visible to callers that can read its type in the scope of one of its rules.
    """
    subject = rule.subject
    if subject.retired_at or not authority.allows("read", READ_AS[_type(subject)], rule.scope):
        return ""
    return own_page(subject)


def own_page(subject: Subject) -> str:
    """Return the URL of the page of a visible subject."""
    view = _views.get(subject.type, "accessrules:effective-access")
    return row_url(view, subject.pk)


def _type(subject: Subject) -> Subject.Type:
    return Subject.Type(subject.type)
