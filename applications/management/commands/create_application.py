"""Create an application from a pipeline or a shell, through the same actions as the page."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q

from accessrules.actions.rules import create_access_rule
from accessrules.authorization.callers import SYSTEM
from accessrules.management.references import scope_named
from accessrules.models import AccessRule, Role
from applications.actions import IssuedSecret, create_application
from runai_access.commands import report_refusals


class Command(BaseCommand):
    help = "Creates an application, with an access rule if a role is named, and shows its secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", help="the role of its access rule, by name or id")
        parser.add_argument(
            "--scope",
            metavar="TYPE:NAME_OR_ID",
            help="where the role holds, for example project:vision-train; else in the account",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="write only {id, clientId, clientSecret} to standard output",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals({"name": "NAME"}), transaction.atomic():
            issued, rule = _create(options["name"], options["role"], options["scope"])
        if options["json"]:
            self._write_json(issued, rule)
        else:
            self._write(issued, rule)

    def _write_json(self, issued: IssuedSecret, rule: AccessRule | None) -> None:
        application = issued.application
        answer = {
            "id": str(application.pk),
            "clientId": application.client_id,
            "clientSecret": issued.secret,
        }
        self.stdout.write(json.dumps(answer))
        self.stderr.write(_what_was_done(issued, rule))

    def _write(self, issued: IssuedSecret, rule: AccessRule | None) -> None:
        self.stdout.write(_what_was_done(issued, rule))
        self.stdout.write(f"Client ID:      {issued.application.client_id}")
        self.stdout.write(f"Client secret:  {issued.secret}")
        self.stdout.write("Store the secret now; it is not shown again.")


def _create(
    name: str, role: str | None, scope: str | None
) -> tuple[IssuedSecret, AccessRule | None]:
    if scope and not role:
        raise CommandError("--scope says where a role holds; name the role with --role.")
    # Looked up first: what can't be granted is refused before anything is made.
    granted = None
    if role:
        granted = _role(role), scope_named(scope or "account", argument="--scope")
    issued = create_application(caller=SYSTEM, name=name)
    if granted is None:
        return issued, None
    rule = create_access_rule(
        caller=SYSTEM, subject=issued.application.subject, role=granted[0], scope=granted[1]
    )
    return issued, rule


def _role(name_or_id: str) -> Role:
    by_id = Q(pk=int(name_or_id)) if _is_id(name_or_id) else Q(pk__in=[])
    role = Role.objects.filter(by_id | Q(name__iexact=name_or_id)).first()
    if role is None:
        known = ", ".join(Role.objects.filter(assignable=True).values_list("name", flat=True))
        raise CommandError(f"There is no role {name_or_id!r}. The roles are: {known}.")
    return role


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _what_was_done(issued: IssuedSecret, rule: AccessRule | None) -> str:
    if rule is None:
        return f"Created application {issued.application.name}, without access rules."
    return f"Created application {issued.application.name}: {rule}."
