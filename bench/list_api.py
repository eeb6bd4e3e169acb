"""A response with 1,000 applications, compared with a plain ModelSerializer over the same rows.

    python -m bench.list_api                        SQLite, in a temporary folder
    .ci/with-postgres python -m bench.list_api      PostgreSQL

Both use the same middleware, authentication and query of visible applications, alternating in one
process. The peer is a DRF generic view with a ModelSerializer, as in DRF's tutorial, over the same
fields. Prints a table and writes bench/var/list_api.json. Exits with 1 if the limit is missed.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

APPLICATIONS = 1_000
ROUNDS, REQUESTS = 9, 8
LEAST = 3.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("RUNAI_ACCESS_SECRET_KEY", "only-for-benchmarks-" + "x" * 32)
        os.environ["RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND"] = "1000000"  # one caller sends all
        os.environ["DJANGO_SETTINGS_MODULE"] = "runai_access.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        figures = measure(make_caller())
    return report(figures)


def make_caller() -> Any:
    """Create the applications, and return a client that can view them all."""
    from django.test import Client

    from applications.oauth.tokens import issue
    from tests import factories

    for number in range(APPLICATIONS - 1):
        factories.application(f"application-{number}")
    caller = factories.application("caller", ("System administrator", factories.account()))
    return Client(
        SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {issue(caller).text}"}
    )


def plain_list() -> Any:
    """Return a typical first implementation by a Django developer."""
    from rest_framework import generics, renderers, serializers

    from accessrules.authorization.callers import caller_of
    from applications import policy
    from applications.models import Application

    class ApplicationSerializer(serializers.ModelSerializer[Application]):
        name = serializers.CharField(source="subject.name")
        clientId = serializers.CharField(source="subject.name")
        enabled = serializers.BooleanField(source="subject.enabled")

        class Meta:
            model = Application
            fields = (
                "subject_id", "name", "clientId", "enabled", "created_by", "created_at",
                "updated_at", "last_login", "token_lifetime",
            )  # fmt: skip

    class PlainList(generics.ListAPIView[Application]):
        serializer_class = ApplicationSerializer
        renderer_classes = (renderers.JSONRenderer,)

        def get_queryset(self) -> Any:
            self.request._request.user = self.request.user
            visible = policy.visible(caller_of(self.request._request))
            return visible.select_related("subject").order_by("subject__name")

    return PlainList


def measure(client: Any) -> dict[str, float]:
    """Measure both in turns; return responses per second and their ratio."""
    from django.urls import path

    from runai_access import urls

    urls.urlpatterns.insert(0, path("bench/plain", plain_list().as_view()))
    asked = {"ours": "/api/v1/apps", "plain ModelSerializer": "/bench/plain"}
    for address in asked.values():
        rows = client.get(address).json()
        if len(rows) != APPLICATIONS:
            raise AssertionError(f"{address} returns {len(rows)} rows.")
    rounds = [
        {name: rate(lambda address=address: client.get(address)) for name, address in asked.items()}  # type: ignore[misc]  # a default
        for _ in range(ROUNDS)
    ]
    figures = {f"{name}, responses per second": median(r[name] for r in rounds) for name in asked}
    ratios = (r["ours"] / r["plain ModelSerializer"] for r in rounds)
    return {**figures, "ours / plain ModelSerializer": median(ratios)}


def rate(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        ask()
    return REQUESTS / (time.perf_counter() - began)


def report(figures: dict[str, float]) -> int:
    from django.db import connection

    for name, figure in figures.items():
        print(f"{figure:>10,.2f}  {name}")
    missed = figures["ours / plain ModelSerializer"] < LEAST
    print(f"{'MISSED: ' if missed else ''}at least {LEAST:g} times the rate")
    kept = ROOT / "bench" / "var" / "list_api.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(
        json.dumps({"database": connection.vendor, **figures}, indent=2) + "\n", encoding="utf-8"
    )
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
