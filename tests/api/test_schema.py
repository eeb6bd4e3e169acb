"""Our OpenAPI document: committed, current, and true of every endpoint."""

import io
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from applications.models import Application
from applications.tokens import issue
from runai_access.wsgi import application as wsgi
from tests import factories

pytestmark = pytest.mark.usefixtures("connection_kept")
COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = wsgi
# Parameters that we don't know are ignored, as clients of other versions need it.
SCHEMA.config.generation.update(allow_extra_parameters=False)


def test_the_committed_document_is_current() -> None:
    written = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=written)
    assert yaml.safe_load(written.getvalue()) == DOCUMENT, (
        "The API has changed. Look at the difference, then commit it: "
        "manage.py spectacular --file docs/openapi.yaml"
    )


@pytest.mark.django_db
def test_the_document_is_served(client: Client) -> None:
    assert yaml.safe_load(client.get("/api/schema/").content)["openapi"] == "3.1.1"


@pytest.fixture(params=["administrator", "department administrator", "without rules", "stranger"])
def headers(request: pytest.FixtureRequest, db: None) -> dict[str, str]:
    """The headers of callers with more and with less to say."""
    if request.param == "stranger":
        return {}
    vision = factories.department("vision", factories.cluster("gpu-east"))
    factories.project("training", vision)
    rules: dict[str, list[factories.Grants]] = {
        "administrator": [("System administrator", factories.account())],
        "department administrator": [("Department administrator", vision)],
        "without rules": [],
    }
    caller: Application = factories.application("caller", *rules[request.param])
    return {"Authorization": f"Bearer {issue(caller).text}"}


@SCHEMA.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_endpoint_does_what_the_document_says(case: Any, headers: dict[str, str]) -> None:
    # That a token is needed at all is asked, for every address, in tests of its own.
    excluded = [ignored_auth]
    if "Tokens" in case.operation.tags:
        # No schema can say that credentials stand either in the form or in the Basic header.
        excluded.append(positive_data_acceptance)
    # Generated keys repeat; what a used one does is shown in test_idempotency.
    (case.headers or {}).pop("Idempotency-Key", None)
    case.call_and_validate(headers=headers, excluded_checks=excluded)
