"""The example organization has data for every column, sort and state."""

from datetime import timedelta

import pytest
from django.db.models import Count, Q
from django.utils import timezone

from accessrules.models import AccessRule, Scope, Subject
from applications.models import Application, ClientSecret
from runai_access import example
from runai_access.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loaded(db: None) -> None:
    example.load()


def test_the_application_of_the_seed_page_is_researcher_in_cluster_a() -> None:
    rule = AccessRule.objects.get(subject__name="ci-pipeline-prod")
    assert str(rule) == "ci-pipeline-prod is L1 researcher in cluster A"


def test_there_are_scopes_of_every_type() -> None:
    counts = dict(Scope.objects.values_list("type").annotate(Count("pk")))
    assert counts["cluster"] == 2
    assert counts["department"] >= 3
    assert counts["project"] >= 5


def test_applications_differ_in_every_column() -> None:
    applications = Application.objects.all()
    count = len(applications)
    assert count >= 12
    assert len({a.created_by for a in applications}) >= 4
    assert len({a.created_at for a in applications}) == count
    assert len({a.last_login for a in applications}) >= count - 3
    assert any(a.updated_at > a.created_at for a in applications)
    assert any(a.updated_at == a.created_at for a in applications)


def test_every_state_occurs() -> None:
    living = Count("subject__access_rules", filter=Q(subject__access_rules__deleted_at=None))
    applications = Application.objects.annotate(rules=living)
    assert applications.filter(last_login=None).exists()
    assert applications.filter(subject__enabled=False).exists()
    assert applications.filter(rules=0).exists()
    assert applications.filter(rules=1).exists()
    assert applications.filter(rules__gte=6).exists()
    assert User.objects.filter(subject__enabled=False).exists()


def test_the_history_is_consistent() -> None:
    now = timezone.now()
    for application in Application.objects.all():
        assert application.created_at <= application.updated_at < now
        if application.last_login:
            assert application.created_at < application.last_login < now
            assert application.enabled or application.last_login < application.updated_at
    oldest = Scope.objects.filter(depth__gt=1).earliest("created_at").created_at
    assert oldest < AccessRule.objects.earliest("created_at").created_at
    creators = {*User.objects.values_list("email", "created_at")}
    creators |= {*Application.objects.values_list("subject__name", "created_at")}
    for name, created_at in creators:
        assert not Application.objects.filter(created_by=name, created_at__lt=created_at).exists()


def test_users_have_different_roles_but_none_is_system_administrator() -> None:
    roles = set(
        AccessRule.objects.filter(subject__type=Subject.Type.USER).values_list(
            "role__name", flat=True
        )
    )
    assert len(roles) >= 4
    assert "System administrator" not in roles


def test_nobody_can_sign_in_as_an_example_subject() -> None:
    assert not ClientSecret.objects.exists()
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_times_are_relative_to_the_load() -> None:
    login = Application.objects.get(subject__name="ci-pipeline-prod").last_login
    assert login is not None
    ago = timezone.now() - login
    assert timedelta(minutes=4) <= ago < timedelta(minutes=5)
