"""Create an application from a pipeline or a shell."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError
from django.db import transaction
from django.db.models import Q

from accessrules.actions.rules import create_access_rule
from accessrules.authorization.callers import SYSTEM
from accessrules.management.references import scope_named
from accessrules.models import AccessRule, Role
from applications.actions.creation import create_application
from applications.actions.new_secrets import IssuedSecret
from applications.copying import create_application_like
from applications.management.applications import application_named
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Creates an application, with an access rule if --role is set, and prints its client secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", help="role of its access rule, by name or ID")
        parser.add_argument(
            "--scope",
            metavar="TYPE:NAME_OR_ID",
            help="scope of the access rule, for example project:vision-train (default: the account)",
        )
        parser.add_argument(
            "--like", metavar="APPLICATION", help="copy the access rules of this application"
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print only {id, clientId, clientSecret} to standard output",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals({"name": "NAME"}), transaction.atomic():
            issued, rules = _create(
                options["name"], options["role"], options["scope"], options["like"]
            )
        if options["json"]:
            self._write_json(issued, rules)
        else:
            self._write(issued, rules)

    def _write_json(self, issued: IssuedSecret, rules: list[AccessRule]) -> None:
        application = issued.application
        document = {
            "id": str(application.pk),
            "clientId": application.client_id,
            "clientSecret": issued.secret,
        }
        self.stdout.write(json.dumps(document))
        self.stderr.write(_describe_result(issued, rules))

    def _write(self, issued: IssuedSecret, rules: list[AccessRule]) -> None:
        self.stdout.write(_describe_result(issued, rules))
        self.stdout.write(f"Client ID:      {issued.application.client_id}")
        self.stdout.write(f"Client secret:  {issued.secret}")
        self.stdout.write("Store the client secret now. It is not shown again.")


def _create(
    name: str, role: str | None, scope: str | None, like: str | None
) -> tuple[IssuedSecret, list[AccessRule]]:
    if scope and not role:
        raise CommandError("--scope requires --role.")
    # Validate the role, the scope and the other application before creating anything.
    grant = None
    if role:
        grant = _role(role), scope_named(scope or "account", argument="--scope")
    if like:
        original = application_named(like)
        copy = create_application_like(caller=SYSTEM, application_id=original.pk, name=name)
        issued = copy.issued
    else:
        issued = create_application(caller=SYSTEM, name=name)
    subject = issued.application.subject
    if grant:
        create_access_rule(caller=SYSTEM, subject=subject, role=grant[0], scope=grant[1])
    rules = AccessRule.objects.living().filter(subject=subject).order_by("pk")
    return issued, list(rules.select_related("subject", "role", "scope"))


def _role(name_or_id: str) -> Role:
    by_id = Q(pk=int(name_or_id)) if _is_id(name_or_id) else Q(pk__in=[])
    role = Role.objects.filter(by_id | Q(name__iexact=name_or_id)).first()
    if role is None:
        names = ", ".join(Role.objects.filter(assignable=True).values_list("name", flat=True))
        raise CommandError(f"Unknown role {name_or_id!r}. Assignable roles: {names}.")
    return role


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _describe_result(issued: IssuedSecret, rules: list[AccessRule]) -> str:
    if not rules:
        return f"Created application {issued.application.name}, without access rules."
    return f"Created application {issued.application.name}: {'; '.join(map(str, rules))}."
