"""The System page shows replicas, maintenance, keys and jobs, and marks what is overdue."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runai_access import __version__
from runai_access.accounts.models import User
from runai_access.background.heartbeat import Heartbeat
from runai_access.background.job import Outcome
from runai_access.background.jobs import default_jobs
from runai_access.maintenance.models import MaintenanceRun, Replica, record_run
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def report(browser: Client) -> dict[str, dict[str, Any]]:
    """Return the items of the JSON by section and name."""
    document = browser.get("/system/system.json").json()
    return {title: {item["name"]: item for item in items} for title, items in document.items()}


def overdue(browser: Client) -> set[str]:
    sections = report(browser).values()
    return {name for items in sections for name, item in items.items() if item["is_overdue"]}


def test_the_page_and_its_json_show_the_installation(admin_browser: Client) -> None:
    page = admin_browser.get("/system/")
    assert page.status_code == 200
    assert "Installation" in page.content.decode()
    installation = report(admin_browser)["Installation"]
    assert installation["Version"]["value"] == __version__
    assert installation["Pending migrations"]["value"] == 0


def test_a_missing_or_old_or_failed_run_is_overdue(admin_browser: Client) -> None:
    assert overdue(admin_browser) == {"Last backup", "Last verify_audit"}
    record_run("backup", detail="/backups/one")
    record_run("verify_audit", succeeded=False, detail="Seal 1 is missing.")
    assert overdue(admin_browser) == {"Last verify_audit"}
    maintenance = report(admin_browser)["Maintenance"]
    assert maintenance["Last backup"]["value"] == "/backups/one"
    assert maintenance["Last verify_audit"]["value"] == "Failed: Seal 1 is missing."
    MaintenanceRun.objects.update(finished_at=timezone.now() - timedelta(days=3), succeeded=True)
    assert overdue(admin_browser) == {"Last backup", "Last verify_audit"}
    assert ">Overdue</strong>" in admin_browser.get("/system/").content.decode()


def test_a_heartbeat_shows_the_replica_its_key_and_its_jobs(admin_browser: Client) -> None:
    now = timezone.now()
    outcomes = {
        "seal the audit log": Outcome(now, 0.1),
        "delete expired sessions": Outcome(now, 0.1, "OperationalError: locked"),
    }
    heartbeat = Heartbeat()
    heartbeat(outcomes)
    heartbeat({})  # within 30 seconds: nothing is written
    shown = report(admin_browser)
    [replica] = shown["Replicas"].values()
    assert replica["value"] == f"{__version__}, running"
    assert shown["Keys"]["Secret key, age"]["value"] == "0\xa0minutes"
    jobs = shown["Background jobs"]
    assert jobs["Seal the audit log"]["value"] == "Succeeded"
    assert jobs["Delete expired sessions"]["is_overdue"]
    Replica.objects.update(seen_at=now - timedelta(minutes=5))
    [replica] = report(admin_browser)["Replicas"].values()
    assert replica["value"] == f"{__version__}, last seen"


def test_replicas_that_stopped_long_ago_are_deleted() -> None:
    Heartbeat()({})
    Replica.objects.update(seen_at=timezone.now() - timedelta(days=8))
    [job] = [job for job in default_jobs() if job.name == "delete replicas that have stopped"]
    job.run(lambda: True)
    assert not Replica.objects.exists()
