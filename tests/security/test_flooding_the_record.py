"""Whoever invents names by the thousand fills neither the record nor the disk."""

import pytest
from django.test import Client
from django.urls import reverse

from applications.tokens import issue
from runai_access.audit import recorder
from runai_access.audit.models import AuditEvent
from tests import factories

ASKED = recorder.TOLD_APART + 30
# A minute may pass while a test runs; then the count begins again.
AT_MOST = 2 * (recorder.TOLD_APART + 1)


def guess(client_id: str, address: str = "192.0.2.1") -> None:
    body = f"grant_type=client_credentials&client_id={client_id}&client_secret=nothing"
    form = "application/x-www-form-urlencoded"
    answer = Client().post("/api/v2/token", body, form, REMOTE_ADDR=address)
    assert answer.status_code == 401


@pytest.mark.django_db
def test_invented_client_ids_become_one_row() -> None:
    for number in range(3 * ASKED):
        guess(f"nobody-{number}")
    assert recorder.TOLD_APART < AuditEvent.objects.count() <= AT_MOST
    assert AuditEvent.objects.filter(subject_name=recorder.MORE).exists()


@pytest.mark.django_db
def test_another_address_is_still_told_apart() -> None:
    for number in range(ASKED):
        guess(f"nobody-{number}")
    guess("ci-pipeline-prod", "192.0.2.2")
    [event] = AuditEvent.objects.filter(source_ip="192.0.2.2")
    assert event.subject_name == "ci-pipeline-prod"


@pytest.mark.django_db
def test_a_caller_who_is_refused_everywhere_is_named_once() -> None:
    robot = factories.application("robot")
    client = Client(headers={"Authorization": f"Bearer {issue(robot).text}"})
    for number in range(3 * ASKED):
        assert client.get(f"/api/v1/apps/{number}").status_code == 403
    assert AuditEvent.objects.count() <= AT_MOST
    assert set(AuditEvent.objects.values_list("subject_name", flat=True)) == {"robot"}


@pytest.mark.django_db
def test_a_sign_in_that_succeeds_is_always_told() -> None:
    for number in range(ASKED):
        guess(f"nobody-{number}", "127.0.0.1")
    person = factories.person("ada@acme.example", password="correct-horse-battery-staple")
    page = reverse("accounts:sign-in")
    Client().post(page, {"email": person.email, "password": "correct-horse-battery-staple"})
    assert AuditEvent.objects.filter(subject_id=person.pk, result="Succeeded").count() == 1
