"""Creates the organization in `organization.toml`, through the domain's actions.

Example users and applications can't sign in: they have no password and no client secret.
"""

import re
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accessrules.actions.rules import create_access_rule
from accessrules.actions.subjects import set_subject_enabled
from accessrules.authorization.callers import SYSTEM
from accessrules.models import ACCOUNT_PATH, AccessRule, Role, Scope, Subject
from applications.actions.creation import create_application_without_secret
from applications.models import Application, search_text_of
from runai_access.accounts.actions import create_user
from runai_access.accounts.models import User

_FILE = Path(__file__).with_name("organization.toml")
_SPAN = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@transaction.atomic
def load() -> None:
    """Load the example organization into an empty installation, in one transaction."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    example = _Example(timezone.now())
    example.create_scopes(data["scopes"], data["scopes_created"])
    for entry in data["users"]:
        example.create_user_entry(entry)
    for entry in data["applications"]:
        example.create_application_entry(entry)


class _Example:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._roles = {role.name: role for role in Role.objects.all()}
        self._scopes = {"": Scope.objects.get(path=ACCOUNT_PATH)}

    def create_scopes(self, paths: list[str], created: str) -> None:
        for path in paths:
            parent, _, name = path.rpartition("/")
            scope = Scope.below(self._scopes[parent], name=name, created_by=SYSTEM.name)
            scope.created_at = scope.updated_at = self._ago(created)
            scope.save()
            self._scopes[path] = scope

    def create_user_entry(self, entry: dict[str, Any]) -> None:
        user = create_user(caller=SYSTEM, email=entry["email"], password=None)
        self._set_up(user.subject, entry)
        User.objects.filter(pk=user.pk).update(**self._times(entry))

    def create_application_entry(self, entry: dict[str, Any]) -> None:
        application = create_application_without_secret(caller=SYSTEM, name=entry["name"])
        self._set_up(application.subject, entry)
        Application.objects.filter(pk=application.pk).update(
            created_by=entry["created_by"],
            search_text=search_text_of(entry["name"], entry["created_by"]),
            last_login=self._ago(entry["last_login"]) if "last_login" in entry else None,
            **self._times(entry),
        )

    def _set_up(self, subject: Subject, entry: dict[str, Any]) -> None:
        for role, scope in entry["rules"]:
            create_access_rule(
                caller=SYSTEM, subject=subject, role=self._roles[role], scope=self._scopes[scope]
            )
        created = self._ago(entry["created"])
        AccessRule.objects.filter(subject=subject).update(created_at=created, updated_at=created)
        if not entry.get("enabled", True):
            set_subject_enabled(subject, enabled=False)

    def _times(self, entry: dict[str, Any]) -> dict[str, datetime]:
        return {
            "created_at": self._ago(entry["created"]),
            "updated_at": self._ago(entry.get("updated", entry["created"])),
        }

    def _ago(self, span: str) -> datetime:
        parts = {_UNITS[unit]: int(number) for number, unit in _SPAN.findall(span)}
        return self._now - timedelta(**parts)
