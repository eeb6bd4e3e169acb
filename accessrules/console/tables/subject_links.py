"""Where a subject has its own page. Apps that own subjects say so; this one knows none of them."""

from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import READ_AS
from accessrules.models import AccessRule, Subject
from runai_access.row_urls import row_url

_views: dict[str, str] = {}


def register_subject_page(type_: Subject.Type, view: str) -> None:
    """Say which view shows a subject of that type; its only argument is the subject's id."""
    _views[type_] = view


def subject_page(rule: AccessRule, authority: Authority) -> str:
    """Return the address of the page of a rule's subject; "" where it may not be read.

    Whoever reads subjects of that type where the rule holds, or above, has this one in sight.
    """
    subject = rule.subject
    if subject.retired_at or not authority.allows("read", READ_AS[_type(subject)], rule.scope):
        return ""
    return own_page(subject)


def own_page(subject: Subject) -> str:
    """Return the address of the page of a subject that is in sight."""
    view = _views.get(subject.type, "accessrules:effective-access")
    return row_url(view, subject.pk)


def _type(subject: Subject) -> Subject.Type:
    return Subject.Type(subject.type)
