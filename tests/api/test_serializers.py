"""Serializers produce the responses that they describe, and so does the fast path of a list."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from accessrules.models import Scope, Subject, load_ancestors
from applications.api.serializers import COLUMNS, ApplicationSerializer, application_row
from applications.models import Application
from runai_access.api.serializers import ConstantField, ResponseSerializer, TimeField
from tests import factories
from tests.api.conftest import Organization

TIMES = st.datetimes(timezones=st.just(UTC))


class WheelSerializer(ResponseSerializer):
    spokes = serializers.IntegerField()


class BicycleSerializer(ResponseSerializer):
    name = serializers.CharField(source="model.name")
    sold = TimeField(allow_null=True)
    lock = serializers.CharField(required=False)
    wheels = WheelSerializer(many=True)
    gears = ConstantField([7], serializers.ListField())
    tags = serializers.ListField(child=serializers.CharField())


def bicycle(**members: object) -> SimpleNamespace:
    made = SimpleNamespace(sold=None, lock=None, wheels=[], tags=())
    made.model = SimpleNamespace(name="Roadster")
    vars(made).update(members)
    return made


def test_null_members_are_kept_and_optional_ones_are_omitted() -> None:
    assert BicycleSerializer.represent(bicycle()) == {
        "name": "Roadster",
        "sold": None,
        "wheels": [],
        "gears": [7],
        "tags": [],
    }


def test_a_dictionary_may_lack_only_optional_members() -> None:
    lacking_a_lock = vars(bicycle()) | {"model.name": "Roadster"}
    del lacking_a_lock["lock"]
    assert BicycleSerializer.represent(lacking_a_lock)["name"] == "Roadster"
    del lacking_a_lock["sold"]
    with pytest.raises(KeyError):
        BicycleSerializer.represent(lacking_a_lock)


def test_members_keep_the_order_of_the_fields() -> None:
    sold = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)
    full = bicycle(sold=sold, lock="chain", wheels=[{"spokes": 32}], tags=["red"])
    assert list(BicycleSerializer.represent(full).items()) == [
        ("name", "Roadster"),
        ("sold", "2026-01-02T03:04:05.678Z"),
        ("lock", "chain"),
        ("wheels", [{"spokes": 32}]),
        ("gears", [7]),
        ("tags", ["red"]),
    ]


def test_data_is_what_represent_returns() -> None:
    rows = [bicycle(), bicycle(lock="chain")]
    data: object = BicycleSerializer(rows, many=True).data
    assert data == BicycleSerializer.represent_all(rows)


@given(
    enabled=st.booleans(),
    retired_at=st.none() | TIMES,
    created_by=st.sampled_from(["system", "mia@acme.example"]),
    created_at=TIMES,
    updated_at=TIMES,
    last_login=st.none() | TIMES,
    token_lifetime=st.none() | st.integers(0, 2**31 - 1),
    description=st.sampled_from(["", "Trains"]),
    labels=st.dictionaries(st.sampled_from(["env", "team"]), st.just("prod")),
    allowed_addresses=st.sampled_from(["", "192.0.2.0/24 2001:db8::/32"]),
    secret_count=st.integers(0, 5),
    oldest_secret_at=st.none() | TIMES,
    next_secret_expiry=st.none() | TIMES,
    contained_at=st.none() | TIMES,
    dormancy=st.sampled_from([None, *Application.Dormancy.values]),
    dormancy_since=st.none() | TIMES,
)
def test_a_row_of_the_list_equals_the_serialized_application(
    enabled: bool, retired_at: datetime | None, **columns: object
) -> None:
    subject = Subject(type=Subject.Type.APP, name="nightly-build", enabled=enabled)
    owner = Subject(type=Subject.Type.GROUP, name="ops", retired_at=retired_at)
    application = Application(subject=subject, owner=owner, **columns)
    columns["owner__name"], columns["owner__type"] = "ops", "group"
    columns["owner__retired_at"] = retired_at
    row = (subject.pk, subject.name, enabled, *(columns[name] for name in COLUMNS[3:]))
    expected = ApplicationSerializer.represent(application)
    assert list(application_row(row).items()) == list(expected.items())


def test_every_listed_application_equals_the_serialized_one(db: None) -> None:
    factories.many_applications(3)
    Application.objects.filter(pk=factories.application("used").pk).update(
        last_login=datetime(2026, 1, 2, tzinfo=UTC), token_lifetime=600
    )
    applications = Application.objects.order_by("pk")
    rows = [application_row(row) for row in applications.values_list(*COLUMNS)]
    assert rows == ApplicationSerializer.represent_all(applications)


def test_loading_ancestors_of_many_scopes_is_one_query(organization: Organization) -> None:
    scopes = list(Scope.objects.order_by("depth", "name"))
    with CaptureQueriesContext(connection) as queries:
        load_ancestors(scopes)
        paths = [scope.path_by_name for scope in scopes]
        clusters = {scope.cluster_uid for scope in scopes}
    assert len(queries) == 1
    assert paths[:4] == ["", "acme", "acme/gpu-east", "acme/gpu-east/speech"]
    assert clusters == {None, organization.cluster.uid}
