"""The audit log: five events for each application, sealed as by the sealer.

DATABASE_URL=… python -m bench.million.events 1000000     if only the events are missing
"""

import json
import random
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import groupby, islice
from typing import Any

from bench.million import names

EACH = 5
_COLUMNS = (
    "id", "time", "subject_type", "subject_id", "subject_name", "action", "entity_type",
    "entity_id", "entity_name", "result", "reason", "changes", "source_ip", "http_method", "path",
    "request_id", "deduplication_key", "tag",
)  # fmt: skip
_SEAL_COLUMNS = (
    "number", "sealed_at", "newest", "event_ids", "previous", "digest", "key_id", "hash",
)  # fmt: skip
_TABLES = ("audit_auditevent", "audit_seal")


def build(size: int) -> None:
    """Append the events and their seals."""
    from django.db import connection

    from accessrules.models import AccessRule
    from bench.million.loading import loader
    from runai_access.audit import guards
    from runai_access.audit.models import AuditEvent
    from runai_access.audit.sealer import seal_waiting

    seal_waiting()
    newest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    rules = AccessRule.objects.filter(subject=names.id_of(0)).order_by("pk")
    first_rule = rules.values_list("pk", flat=True)[0]
    guards.remove(connection)
    load = loader(*_TABLES)
    record = _Record(newest + 1)
    load.rows("audit_auditevent", list(_COLUMNS), record.rows(_events(size, first_rule)))
    load.rows("audit_seal", list(_SEAL_COLUMNS), record.seals)
    load.make_indexes(*_TABLES)
    guards.install(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('audit_auditevent', 'id'), %s)",
                [newest + size * EACH],
            )
    load.end()


class _Record:
    """Turns events into rows with tags, and collects their seals."""

    def __init__(self, first: int) -> None:
        from runai_access.audit.known_head import head

        self.seals: list[tuple[Any, ...]] = []
        self._id = first
        self._number, self._previous = head()

    def rows(self, events: Iterator[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
        from runai_access.audit.chain import tag_of
        from runai_access.audit.sealer import BATCH_SIZE

        for _, day in groupby(events, key=lambda event: event["time"].date()):
            while some := list(islice(day, BATCH_SIZE)):
                tags = []
                for event in some:
                    tag = tag_of(event)
                    tags.append((self._id, tag))
                    changes = json.dumps(event["changes"])
                    row = {**event, "changes": changes, "id": self._id, "tag": tag}
                    yield tuple([row[name] for name in _COLUMNS])
                    self._id += 1
                self._seal(tags, some[-1]["time"])

    def _seal(self, tags: list[tuple[int, str]], newest: Any) -> None:
        from runai_access.audit.chain import digest_of, key_id, ranges_of, seal_hash

        self._number += 1
        values: dict[str, Any] = {
            "number": self._number, "sealed_at": newest + timedelta(seconds=2), "newest": newest,
            "event_ids": ranges_of([id_ for id_, _ in tags]), "previous": self._previous,
            "digest": digest_of(tags), "key_id": key_id(),
        }  # fmt: skip
        values["hash"] = self._previous = seal_hash(values)
        self.seals.append(tuple(values[name] for name in _SEAL_COLUMNS))


def _events(size: int, first_rule: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(4)  # noqa: S311  # not a secret
    step = timedelta(days=names.DAYS) / (size * EACH)
    for number in range(size):
        name, user = names.name_of(number), names.creator_of(chance)
        key = str(names.id_of(number))
        actions: list[tuple[str, str, str, str, dict[str, Any]]] = [
            ("create", "application", key, name, {"name": [None, name]}),
        ]
        for rule in range(names.RULES_EACH):
            id_ = str(first_rule + names.RULES_EACH * number + rule)
            granted = {"role": [None, "Viewer"], "scope": [None, "project lab"]}
            actions.append(("create", "access_rule", id_, f"{name} is Viewer", granted))
        actions.append(("sign-in", "user", str(_user(user)), user, {}))
        actions.append(("regenerate-secret", "application", key, name, {}))
        for place, deed in enumerate(actions):
            time = names.START + step * (number * EACH + place)
            yield _event(time, user, deed, number % 20 == 0 and place == EACH - 1, chance)


def _event(
    time: Any, user: str, deed: tuple[str, str, str, str, dict[str, Any]], fails: bool,
    chance: random.Random,
) -> dict[str, Any]:  # fmt: skip
    action, entity_type, entity_id, entity_name, changes = deed
    is_app = "@" not in user
    return {
        "time": time, "subject_type": "app" if is_app else "user", "subject_id": _user(user),
        "subject_name": user, "action": action, "entity_type": entity_type,
        "entity_id": entity_id, "entity_name": entity_name,
        "result": "Failed" if fails else "Succeeded",
        "reason": "You need the “Edit applications” permission in account acme." if fails else "",
        "changes": changes, "source_ip": f"10.0.{chance.randrange(20)}.{chance.randrange(256)}",
        "http_method": "POST", "path": f"/{entity_type}s/",
        "request_id": uuid.UUID(int=chance.getrandbits(128)), "deduplication_key": None,
    }  # fmt: skip


@cache
def _user(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")

    django.setup()
    build(int(sys.argv[1]))
