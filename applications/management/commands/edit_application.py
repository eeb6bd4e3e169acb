"""Change owner, description, labels and allowed addresses of an application."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError

from accessrules.authorization.callers import SYSTEM
from applications.details import OWNER_TYPES, DetailsChange, change_details
from applications.management.applications import application_named
from applications.validators import read_labels
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Changes the owner, description, labels and allowed addresses of an application."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--owner", metavar="OWNER", help='a user or group; "" removes the owner'
        )
        parser.add_argument(
            "--owner-type",
            choices=[str(type_) for type_ in OWNER_TYPES],
            default="",
            help="needed only if a user and a group have this name",
        )
        parser.add_argument("--description", metavar="TEXT")
        parser.add_argument(
            "--label",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a label to add, or whose value to replace; can be repeated",
        )
        parser.add_argument(
            "--remove-label",
            action="append",
            default=[],
            metavar="KEY",
            help="the key of a label to remove; can be repeated",
        )

        parser.add_argument(
            "--allow-address",
            action="append",
            metavar="CIDR",
            help='replaces the allowed addresses; can be repeated; "" allows all',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = {"owner": "--owner", "description": "--description", "labels": "--label"}
        names["allowedAddresses"] = "--allow-address"
        with report_refusals(names):
            application = change_details(
                caller=SYSTEM,
                application_id=application_named(options["name"]).pk,
                change=DetailsChange(
                    owner=options["owner"],
                    owner_type=options["owner_type"],
                    description=options["description"],
                    added=_labels(options["label"]),
                    removed=options["remove_label"],
                    networks=options["allow_address"],
                ),
            )
        owner = application.living_owner
        self.stdout.write(f"Application {application.name}")
        self.stdout.write(f"Owner:        {owner.name if owner else 'none'}")
        self.stdout.write(f"Description:  {application.description or 'none'}")
        self.stdout.write(f"Addresses:    {', '.join(application.networks) or 'all'}")
        self.stdout.write(f"Labels:       {', '.join(application.label_texts) or 'none'}")


def _labels(texts: list[str]) -> dict[str, str]:
    try:
        return read_labels(texts)
    except ValidationError as error:
        raise ValidationError({"labels": error.messages}) from error
