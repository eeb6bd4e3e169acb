"""Freeze what every view of the bench shows, to prove that a change of the code changes none of it.

    python -m bench.golden --compare bench/golden/sqlite.json
    .ci/with-postgres python -m bench.golden --compare bench/golden/postgresql.json

`--write` in place of `--compare` writes a new file. Without DATABASE_URL a temporary SQLite database is
used; one that is given must be empty. Takes about a minute.

The database holds the data of `bench.million` with 10,000 applications. A system administrator, an
auditor and a department administrator request every page, file and list that `bench.million`
measures, in this process. For each URL the file holds the status, the number of SQL queries, the
counts, and the ids of the rows in order: the first, the last and a hash of all of them. It holds no
text that people read, so that texts can change.

Each URL is requested twice and the second answer counts, because the first one may fill caches. How
long that takes does not matter: no page writes that its session is in use.
The number of queries is left out where access is denied: how many denials get a row in the audit
log depends on the clock.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

SIZE: Final = 10_000
AUDITOR: Final = "audra.auditor@example.com"
MAX_LISTED: Final = 6
"""The most ids that are listed; of more, the first and the last are, with a hash of all."""
TIED: Final = "/users/?sort=status"
"""Users with the same status are in the order of their random ids."""

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+"
_VALUE = re.compile(rf"^(?:{_ID})$")
_IN_URL = re.compile(rf"(?<=[/=:])(?:{_ID})(?=[/&#]|$)")

Shown = dict[str, Any]
"""What one URL shows to one caller."""
Golden = dict[str, dict[str, Shown]]
"""What is shown, by caller and URL."""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m bench.golden")
    task = arguments.add_mutually_exclusive_group(required=True)
    task.add_argument("--write", type=Path, metavar="FILE")
    task.add_argument("--compare", type=Path, metavar="FILE")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(folder) / 'golden.sqlite3'}")
        found = _observe()
    if asked.write:
        asked.write.write_text(_as_text(found), encoding="utf-8")
        return 0
    differences = list(_differences(json.loads(asked.compare.read_text(encoding="utf-8")), found))
    print("\n".join(differences or ["Equal."]))
    return int(bool(differences))


def _as_text(golden: Golden) -> str:
    """Return the JSON of a golden file, one line for each URL."""
    callers = []
    for caller, views in sorted(golden.items()):
        lines = [
            f"{json.dumps(url)}: {json.dumps(shown, sort_keys=True, ensure_ascii=False)}"
            for url, shown in sorted(views.items())
        ]
        callers.append(f"{json.dumps(caller)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(callers) + "\n}\n"


def _differences(before: Golden, after: Golden) -> Iterator[str]:
    for caller in sorted(before.keys() | after.keys()):
        old, new = before.get(caller, {}), after.get(caller, {})
        for url in sorted(old.keys() | new.keys()):
            was, now = old.get(url, {}), new.get(url, {})
            for name in sorted(was.keys() | now.keys()):
                if was.get(name) != now.get(name):
                    yield f"{caller} {url}: {name} was {was.get(name)}, is {now.get(name)}"


def _observe() -> Golden:
    """Build the data and request every URL as every caller."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    from bench.million import data, names

    if connection.introspection.table_names():
        sys.exit("The database of DATABASE_URL is not empty.")
    setup_test_environment()
    data.build(SIZE)
    _make_auditor()
    emails = {"administrator": names.ADMINISTRATOR, "auditor": AUDITOR}
    # The last, because denials of hers add rows to the audit log that the others read.
    emails["department administrator"] = names.DEPARTMENT_ADMINISTRATOR
    connection.close()
    settings.SESSION_PRECISION_SECONDS = 24 * 60 * 60  # no page writes that its session is in use

    urls = sorted(set(_urls()))
    users = {user.email: user for user in get_user_model().objects.all()}
    # Users have random ids.
    email_by_id = {str(user.pk): email for email, user in users.items()}
    golden: Golden = {}
    for caller, email in emails.items():
        client = Client()
        client.force_login(users[email])
        golden[caller] = {url: _shown(client, url, email_by_id) for url in urls}
    connection.close()
    return golden


def _make_auditor() -> None:
    from accessrules.models import Subject
    from runai_access.accounts.models import User
    from tests import factories

    subject = Subject.objects.create(type=Subject.Type.USER, name=AUDITOR)
    auditor = User(subject=subject, email=AUDITOR, created_by="bench")
    auditor.set_unusable_password()
    auditor.save(force_insert=True)
    factories.rule(auditor, "Auditor", factories.account())


def _urls() -> Iterator[str]:
    """Yield the URLs that `bench.million` measures, and some that select rows."""
    from accessrules.models import Role
    from bench.million import files, names, pages, table
    from bench.million.rows import Row, View
    from bench.million.running import Bench

    urls: list[str] = []

    class Collector(Bench):
        """Collects the URLs instead of requesting them."""

        database = "sqlite"

        def __init__(self) -> None:
            pass

        def sign_in(self, email: str = "") -> None:
            pass

        def measure(self, group: str, views: Iterable[View], most_rounds: int = 0) -> list[Row]:
            urls.extend(view.address for view in views)
            return []

    table.measure(Collector())
    pages.measure(Collector())
    yield from (url for url in urls if not url.startswith("/bench/"))
    viewer = Role.objects.get(name="Viewer").pk
    yield from (url.format(viewer=viewer) for url in files.FILES.values())
    yield "/applications/?select=page"
    yield f"/applications/?select=view&search={names.MANY}"
    yield "/access-rules/?select=view"
    yield f"/applications/bulk/delete/?select=view&from=/applications/?search={names.MANY}"


def _shown(client: Any, url: str, email_by_id: dict[str, str]) -> Shown:
    client.get(url)
    queries = _QueryCounter()
    from django.db import connection

    with connection.execute_wrapper(queries):
        response = client.get(url)
        is_file = response.streaming
        content = b"".join(response.streaming_content) if is_file else response.content
    text = content.decode("utf-8-sig")
    if response.status_code != 200:
        return {"status": response.status_code}
    if is_file:
        shown = _of_csv(text)
        shown["is_cut"] = response.headers["X-Row-Limit-Reached"]
    elif response.headers["Content-Type"].startswith("application/json"):
        shown = _of_json(json.loads(text))
    else:
        shown = _of_page(response.context, text)
    shown |= {"status": 200, "queries": queries.number}
    for name in ("ids", "choices"):
        if name in shown:
            ids = [email_by_id.get(id_, id_) for id_ in map(str, shown[name])]
            shown[name] = _abridged(sorted(ids) if url == TIED else ids)
    return shown


def _of_json(document: Any) -> Shown:
    """Return the ids of a list of the API, or the names of the members of another document."""
    if isinstance(document, dict):
        return {"members": sorted(document)}
    return {"ids": [row["id"] for row in document]}


class _QueryCounter:
    """Counts the queries of a connection; see `execute_wrapper`."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *query: Any) -> Any:
        self.number += 1
        return execute(*query)


def _abridged(ids: list[str]) -> list[str]:
    if len(ids) <= MAX_LISTED:
        return ids
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
    return [ids[0], f"{len(ids):,} in all, {digest}", ids[-1]]


def _of_csv(text: str) -> Shown:
    """Return the first column without its title, as the ids of a file's rows."""
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    # The data end in 2025; what is later was made with them, and differs from run to run.
    ids = ["now" if re.match(r"20(?!2[0-5])\d\d-", row[0]) else row[0] for row in rows]
    return {"ids": ids, "count": len(rows)}


def _of_page(context: Any, text: str) -> Shown:
    """Return what a page shows: of a list as its context has it, else what its HTML says."""
    page = _Page()
    page.feed(text)
    list_ = context.get("list")
    # A dialog has the list that it was opened from, and doesn't read its rows.
    if list_ is None or "page" not in vars(list_):
        numbers = re.findall(r"\d+", page.heading)
        return {"ids": page.rows, "choices": page.choices, "numbers": numbers}
    read = list_.page
    return {
        "ids": [row.pk for row in (*list_.pinned, *read.rows)],
        "checked": page.checked,
        "count": read.count.number,
        "is_exact": read.count.is_exact,
        "page": [read.number, read.pages],
        "has_previous": read.has_previous,
        "has_next": read.has_next,
    }


class _Page(HTMLParser):
    """The ids in a page: one for each row of its tables, and those of its controls."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = []
        self.choices: list[str] = []
        self.checked = 0
        self.heading = ""
        self._open: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._open.add(tag)
        self.checked += "checked" in given
        if {"tbody", "tr"} <= self._open:
            if tag == "tr":
                self.rows.append("")
            self.rows[-1] = self.rows[-1] or _id_of(given)
        # A hidden one may be a key that only this page has.
        elif given.get("type") != "hidden" and tag in {"input", "button", "option"}:
            self.choices += _VALUE.findall(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._open.discard(tag)

    def handle_data(self, data: str) -> None:
        if "h1" in self._open:
            self.heading += data.replace(",", "")


def _id_of(attributes: dict[str, str]) -> str:
    """Return the id that an element has as its value or in its link; else ""."""
    value = attributes.get("value", "")
    if _VALUE.match(value):
        return value
    found = _IN_URL.search(attributes.get("href", ""))
    return found[0] if found else ""


if __name__ == "__main__":
    sys.exit(main())
