"""Complete the change to a new secret key."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import transaction

from accessrules.authorization.callers import SYSTEM
from applications.oauth.signing_keys import encrypt_again
from runai_access.accounts.mfa import factors
from runai_access.audit import known_head
from runai_access.audit.chain import key_id
from runai_access.audit.countersigning import countersign
from runai_access.audit.recorder import Entity, record
from runai_access.audit.sealer import seal_waiting
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Completes the change to a new secret key: encrypts the signing keys and the second factors "
        "with it, verifies the audit log with both keys, and countersigns it with the new one. Run it "
        "once all replicas have the new key in RUNAI_ACCESS_SECRET_KEY and the former one in "
        "RUNAI_ACCESS_SECRET_KEY_PREVIOUS. Then the former key is no longer needed. You can interrupt "
        "it and run it again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SECRET_KEY_FALLBACKS:
            raise CommandError(
                "Set RUNAI_ACCESS_SECRET_KEY to the new key and RUNAI_ACCESS_SECRET_KEY_PREVIOUS to "
                "the former one first, on all replicas."
            )
        try:
            known = known_head.read()
        except (OSError, ValueError) as error:
            raise CommandError(f"Can't read {known_head.file()}: {error}") from error
        with report_refusals():
            seal_waiting()
            keys, encrypted = encrypt_again(), factors.encrypt_again()
            report = countersign(known)
            with transaction.atomic():
                # Its seal is the first one that only the new key can create.
                record(
                    "update",
                    Entity("secret_key", key_id(), key_id()),
                    actor=SYSTEM.actor,
                    changes={
                        "auditHead": [None, f"{report.head[0]}:{report.head[1]}"],
                        "auditRows": [None, report.events],
                    },
                )
            seal_waiting()
        self.stdout.write(
            f"Encrypted {keys} signing keys and {encrypted:,} second factors, and countersigned "
            f"{report.seals:,} seals of {report.events:,} audit rows, up to head "
            f"{report.head[0]}:{report.head[1]}\n"
            "Now remove RUNAI_ACCESS_SECRET_KEY_PREVIOUS on all replicas."
        )
