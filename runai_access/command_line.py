"""The command line: `runai-access` of an installed wheel, and `manage.py` of a source tree."""

import os
import sys

from runai_access import __version__

USAGE = """\
Usage: runai-access COMMAND [options]
       runai-access manage COMMAND [options]

  serve                 prepare the database and serve
  prepare               migrate, collect static files, create the first administrator
  create_admin          make a user System administrator
  reset_password        set a new password for a user
  create_application    create an application and print its client secret
  backup, restore       back up the database, and restore it
  copy-database         copy the SQLite database to PostgreSQL
  verify_audit          verify the audit log

`runai-access help` lists all commands, `runai-access COMMAND --help` describes one. `manage` is
optional. All settings are environment variables, such as RUNAI_ACCESS_VAR, the folder for files.
"""


def main() -> None:
    """Run the command of `runai-access`."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["manage"]:
        arguments = arguments[1:]
    match arguments[:1]:
        case [] | ["-h"] | ["--help"]:
            sys.stdout.write(USAGE)
        case ["--version"] | ["version"]:
            sys.stdout.write(f"runai-access {__version__}\n")
        case _:
            run(["runai-access", *arguments])


def run(arguments: list[str]) -> None:
    """Run a management command; `arguments` begins with the name of the program."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    if len(arguments) > 1 and not arguments[1].startswith("-"):
        # `copy-database` is the command copy_database.
        arguments = [arguments[0], arguments[1].replace("-", "_"), *arguments[2:]]
    try:
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        sys.exit(f"Invalid configuration: {error}")
