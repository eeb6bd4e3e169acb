"""Explain whether a subject can perform an action in a scope."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError

from accessrules.authorization.application_explanation import (
    ApplicationExplanation,
    explain_for_application,
)
from accessrules.authorization.catalog import ALIASES, RESOURCE_TYPES
from accessrules.authorization.explanation import Explanation, explain
from accessrules.authorization.grants import ACTIONS
from accessrules.management.references import names_application, scope_named, subject_named
from runai_access.commands import OperatorCommand, report_refusals

NO = 1
ERROR = 2


class Command(OperatorCommand):
    help = (
        "Explains whether SUBJECT can perform ACTION on RESOURCE in SCOPE. "
        "Exit status: 0 yes, 1 no, 2 error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("subject", metavar="SUBJECT", help="app:NAME, user:EMAIL or group:NAME")
        parser.add_argument("action", metavar="ACTION", help=", ".join(ACTIONS.values()))
        parser.add_argument(
            "resource", metavar="RESOURCE", help="a resource type, for example apps or project"
        )
        parser.add_argument(
            "scope",
            metavar="SCOPE",
            help="account, TYPE:NAME_OR_ID like project:vision-train, or app:NAME for one application",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with report_refusals():
                explanation = _explain(**{k: options[k] for k in _ARGUMENTS})
        except CommandError as error:
            error.returncode = ERROR
            raise
        self.stdout.write("\n".join(explanation.lines()))
        if not explanation.allowed:
            sys.exit(NO)


_ARGUMENTS = ("subject", "action", "resource", "scope")


def _explain(
    *, subject: str, action: str, resource: str, scope: str
) -> Explanation | ApplicationExplanation:
    if action not in ACTIONS.values():
        raise CommandError(f"ACTION must be one of {', '.join(ACTIONS.values())}, not {action!r}.")
    resource_type = ALIASES.get(resource, resource)
    if resource_type not in RESOURCE_TYPES:
        raise CommandError(
            f"Unknown resource type {resource!r}. Use one of: {', '.join(RESOURCE_TYPES)}."
        )
    if names_application(scope):
        if resource_type != "apps":
            raise CommandError(f"RESOURCE must be apps for {scope}, not {resource!r}.")
        return explain_for_application(subject_named(subject), action, subject_named(scope))
    scope_row = scope_named(scope, argument="SCOPE")
    return explain(subject_named(subject), action, resource_type, scope_row)
