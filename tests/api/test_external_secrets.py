"""The recipe for External Secrets: its manifests make requests that this API accepts.

The webhook generator fills the templates of a manifest with the data of the Kubernetes secrets that it
names, sends one request, and stores the members of the JSON object in the response. So does this test.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now
from pytest_django import Settings

from applications.models import Application
from applications.oauth.secret_verification import authenticate
from tests import factories
from tests.servers import ROOT

GUIDE = (ROOT / "docs/client-secrets.md").read_text(encoding="utf-8")
PART = GUIDE.partition("### With External Secrets")[2].partition("\n### ")[0]
MANIFESTS = list(yaml.safe_load_all(PART.partition("```yaml\n")[2].partition("```")[0]))
TYPE = "external-secrets.io/type"
HOST = "https://access.example.com"


class Cluster:
    """The Kubernetes secrets of a namespace, and the refreshes of External Secrets."""

    def __init__(self, target: Application) -> None:
        self.secrets: dict[str, dict[str, str]] = {}
        self.labels: dict[str, dict[str, str]] = {}
        self._target = target

    def refresh(self, name: str) -> int:
        """Run the generator of an ExternalSecret once; store its result. Return the status."""
        external = _manifest("ExternalSecret", name)["spec"]
        (source,) = external["dataFrom"]
        reference = source["sourceRef"]["generatorRef"]
        generator = _manifest(reference["kind"], reference["name"])
        assert generator["apiVersion"] == reference["apiVersion"]
        response = self._request(generator["spec"])
        if response.status_code < 300:
            target = external["target"]
            metadata = target.get("template", {}).get("metadata", {})
            self.secrets[target["name"]] = response.json()
            self.labels[target["name"]] = metadata.get("labels", {})
        return int(response.status_code)

    def _request(self, spec: dict[str, Any]) -> Any:
        data = {}
        for one in spec["secrets"]:
            name = one["secretRef"]["name"]
            assert self.labels[name][TYPE] == "webhook", "the generator refuses other secrets"
            data[one["name"]] = self.secrets[name]

        def filled(template: str) -> str:
            return re.sub(
                r"\{\{ \.(\w+)\.(\w+) \}\}", lambda found: data[found[1]][found[2]], template
            )

        headers = {name: filled(value) for name, value in spec["headers"].items()}
        assert spec["url"].startswith(HOST)
        path = re.sub(r"[0-9a-f-]{36}", str(self._target.pk), spec["url"].removeprefix(HOST))
        content_type = headers.pop("Content-Type")
        assert spec["result"]["jsonPath"] == "$"
        return Client().generic(
            spec["method"], path, filled(spec["body"]), content_type, headers=headers
        )


def _manifest(kind: str, name: str) -> dict[str, Any]:
    (found,) = (one for one in MANIFESTS if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return dict(found)


def _interval(name: str) -> timedelta:
    text = _manifest("ExternalSecret", name)["spec"]["refreshInterval"]
    return timedelta(**{{"m": "minutes", "h": "hours"}[text[-1]]: int(text[:-1])})


@pytest.fixture
def expiry_days() -> int:
    found = re.search(r"RUNAI_ACCESS_SECRET_EXPIRY_DAYS=(\d+)", PART)
    assert found
    return int(found[1])


@pytest.fixture
def cluster(db: None, settings: Settings, expiry_days: int) -> Cluster:
    settings.SECRET_EXPIRY_DAYS = expiry_days
    administrator = ("System administrator", factories.account())
    secret = factories.secrets.new_secret()
    factories.application("rotator", administrator, secret=secret)
    cluster = Cluster(factories.application("my-pipeline"))
    (label,) = re.findall(r"kubectl label secret rotator (\S+)=(\S+)", PART)
    cluster.secrets["rotator"] = {"clientId": "rotator", "clientSecret": secret}
    cluster.labels["rotator"] = dict([label])
    return cluster


def test_each_refresh_adds_a_secret_and_the_last_one_keeps_working(cluster: Cluster) -> None:
    assert cluster.refresh("rotator-token") == 200
    obtained = []
    for _ in range(2):
        assert cluster.refresh("my-pipeline") == 201
        obtained.append(cluster.secrets["my-pipeline"])
    for one in obtained:
        assert one.keys() == {"id", "label", "expiresAt", "clientSecret"}
        assert authenticate("my-pipeline", one["clientSecret"])


def test_sixth_secret_leaves_the_kubernetes_secret_as_it_is(cluster: Cluster) -> None:
    cluster.refresh("rotator-token")
    statuses = [cluster.refresh("my-pipeline") for _ in range(5)]
    assert statuses == [201, 201, 201, 201, 409]
    assert authenticate("my-pipeline", cluster.secrets["my-pipeline"]["clientSecret"])


def test_secrets_outlive_a_refresh_and_never_exceed_the_maximum(
    cluster: Cluster, expiry_days: int
) -> None:
    cluster.refresh("rotator-token")
    cluster.refresh("my-pipeline")
    expires_at = parse_datetime(cluster.secrets["my-pipeline"]["expiresAt"])
    assert expires_at is not None
    lifetime, interval = expires_at - now(), _interval("my-pipeline")
    assert 2 * interval < lifetime + timedelta(minutes=1) <= timedelta(days=expiry_days, minutes=1)
    assert lifetime < 5 * interval
    assert _interval("rotator-token").total_seconds() < settings.TOKEN_LIFETIME_SECONDS / 2
