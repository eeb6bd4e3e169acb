"""Actions on applications: their effects, audit rows and refusals."""

import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from accessrules.actions.rules import create_access_rule
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, Subject
from applications.actions.creation import create_application, create_application_without_secret
from applications.actions.deletion import delete_application, delete_applications
from applications.actions.new_secrets import IssuedSecret
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled, set_applications_enabled
from applications.models import Application
from applications.oauth.secrets import is_well_formed
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from runai_access.errors import AlreadyDone, Conflict, Denied, NotFound
from runai_access.security.hashing import verify_secret
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together


@pytest.fixture
def sam(acme: Organization) -> Caller:
    """Sam, System administrator, with an address."""
    person = factories.person("sam@acme.example", "System administrator")
    origin = Origin("192.0.2.7", uuid.uuid4(), "POST", "/applications/new")
    return Caller(Subject.objects.get(pk=person.pk), origin)


def _only_event() -> AuditEvent:
    return AuditEvent.objects.get()


def _audit_log_text() -> str:
    """Return all columns of all audit rows as text."""
    return repr(list(AuditEvent.objects.values()))


# Creating.


def test_created_application_is_enabled_and_has_a_secret(sam: Caller) -> None:
    issued = create_application(caller=sam, name="ci-pipeline-prod")
    made = Application.objects.get()
    assert (made.name, made.client_id) == ("ci-pipeline-prod", "ci-pipeline-prod")
    assert made.enabled
    assert made.created_by == "sam@acme.example"
    assert made.last_login is None
    assert made.pk == made.subject.pk == issued.application.pk
    assert is_well_formed(issued.secret)
    assert verify_secret(factories.hash_of(made), issued.secret)
    assert issued.secret not in repr(Application.objects.values())
    assert issued.secret not in repr(issued)


def test_creation_is_audited_with_actor_and_origin(sam: Caller) -> None:
    issued = create_application(caller=sam, name="ci-pipeline-prod")
    event = _only_event()
    assert sam.subject
    assert (event.subject_type, event.subject_id, event.subject_name) == (
        "user",
        sam.subject.pk,
        "sam@acme.example",
    )
    assert (event.action, event.result) == ("create", "Succeeded")
    assert (event.entity_type, event.entity_id, event.entity_name) == (
        "application",
        str(issued.application.pk),
        "ci-pipeline-prod",
    )
    assert event.changes == {"name": [None, "ci-pipeline-prod"]}
    assert (event.source_ip, event.http_method, event.path, event.request_id) == (
        "192.0.2.7",
        "POST",
        "/applications/new",
        sam.origin.request_id,
    )
    assert issued.secret not in _audit_log_text()
    assert "argon2" not in _audit_log_text()


def test_application_created_by_a_command_has_creator_system(acme: Organization) -> None:
    made = create_application(caller=SYSTEM, name="ci-prod").application
    assert made.created_by == "system"
    assert (_only_event().subject_type, _only_event().subject_id) == ("system", None)


def test_application_created_by_an_application_has_its_name_as_creator(acme: Organization) -> None:
    robot = factories.application("robot", ("System administrator", acme["account"]))
    made = create_application(caller=factories.caller(robot), name="ci-prod").application
    assert made.created_by == "robot"
    assert (_only_event().subject_type, _only_event().subject_id) == ("app", robot.pk)


def test_application_can_be_created_without_a_secret(sam: Caller) -> None:
    made = create_application_without_secret(caller=sam, name="ci-prod")
    assert factories.hash_of(Application.objects.get()) == ""
    assert _only_event().action == "create"
    issued = regenerate_secret(caller=sam, application_id=made.pk)
    assert verify_secret(factories.hash_of(Application.objects.get()), issued.secret)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "Enter a name"),
        ("a", "2 to 255 characters"),
        ("a" * 300, "this one has 300"),
        ("Ci-prod", "lowercase letter"),
        ("1ci", "lowercase letter"),
        ("-ci", "lowercase letter"),
        ("ci-", "lowercase letter"),
        ("ci_", "lowercase letter"),
        ("ci prod", "lowercase letter"),
        ("ci-prod\n", "lowercase letter"),
        ("ci\x00prod", "lowercase letter"),
        ("ci.prod", "lowercase letter"),
        ("cï-prod", "lowercase letter"),
        ("ci-prod٣", "lowercase letter"),
        ("a1b2c3d4-e5f6-4789-abcd-ef0123456789", "UUID"),
        ("a1b2c3d4e5f64789abcdef0123456789", "UUID"),
    ],
)
@pytest.mark.parametrize("how", ["with", "without"])
def test_invalid_name_is_refused_with_the_field(
    sam: Caller, name: str, reason: str, how: str
) -> None:
    create = create_application if how == "with" else create_application_without_secret
    with pytest.raises(ValidationError) as refused:
        create(caller=sam, name=name)
    assert list(refused.value.message_dict) == ["name"]
    assert reason in refused.value.message_dict["name"][0]
    assert not Application.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("name", ["ab", "a1", "a" * 255, "a__-9", "deadbeef", "ci-pipeline-prod"])
def test_valid_name_is_accepted_unchanged(sam: Caller, name: str) -> None:
    assert create_application(caller=sam, name=name).application.name == name


def test_name_in_use_is_a_conflict_with_the_field(sam: Caller) -> None:
    create_application(caller=sam, name="ci-prod")
    with pytest.raises(Conflict) as refused:
        create_application(caller=sam, name="ci-prod")
    assert refused.value.field == "name"
    assert Application.objects.count() == AuditEvent.objects.count() == 1
    assert Subject.objects.filter(type="app").count() == 1


def test_name_of_a_deleted_application_can_be_reused_without_its_rules(
    sam: Caller, acme: Organization
) -> None:
    first = create_application(caller=sam, name="ci-prod").application
    factories.rule(first, "Viewer", acme["vision"])
    delete_application(caller=sam, application_id=first.pk)
    second = create_application(caller=sam, name="ci-prod").application
    assert second.pk != first.pk
    assert second.credential_id != first.credential_id
    assert not AccessRule.objects.living().filter(subject=second.subject).exists()


def test_resubmitting_the_form_creates_one_application(sam: Caller) -> None:
    form = uuid.uuid4()
    issued = create_application(caller=sam, name="ci-prod", submission=form)
    with pytest.raises(AlreadyDone):
        create_application(caller=sam, name="ci-prod", submission=form)
    assert verify_secret(factories.hash_of(Application.objects.get()), issued.secret)
    assert AuditEvent.objects.count() == 1


def test_other_form_with_the_same_name_is_a_conflict(sam: Caller) -> None:
    create_application(caller=sam, name="ci-prod", submission=uuid.uuid4())
    for form in (uuid.uuid4(), None):
        with pytest.raises(Conflict):
            create_application(caller=sam, name="ci-prod", submission=form)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (None, "account"),
        ("Viewer", "account"),
        ("Department administrator", "account"),
        ("Editor", "account"),
        ("System administrator", "alpha"),
        ("System administrator", "research"),
        ("System administrator", "vision"),
    ],
)
@pytest.mark.parametrize("step", ["create", "create-without", "update", "enable", "delete"])
def test_changing_applications_requires_permission_on_the_account(
    acme: Organization, role: str | None, place: str, step: str
) -> None:
    mia = factories.caller(factories.person("mia@acme.example", role, acme[place]))
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]))
    action = {"create-without": "create", "enable": "update"}.get(step, step)
    with pytest.raises(Denied) as refused:
        match step:
            case "create":
                create_application(caller=mia, name="Not even a good name")
            case "create-without":
                create_application_without_secret(caller=mia, name="ci-test")
            case "update":
                regenerate_secret(caller=mia, application_id=ci.pk)
            case "enable":
                set_application_enabled(caller=mia, application_id=ci.pk, enabled=False)
            case "delete":
                delete_application(caller=mia, application_id=ci.pk)
    somewhere = role == "System administrator" or action == "create"
    where = " in the account" if somewhere else ""
    label = {"create": "Create", "update": "Edit", "delete": "Delete"}[action]
    assert str(refused.value) == (
        f"You need the “{label} applications” permission{where}. "
        "Ask someone who manages access rules."
    )
    assert [a.name for a in Application.objects.filter(subject__enabled=True)] == ["ci-prod"]
    assert not AuditEvent.objects.exists()


def test_changes_do_not_find_an_invisible_application(acme: Organization) -> None:
    mia = factories.caller(
        factories.person("mia@acme.example", "System administrator", acme["research"])
    )
    hidden = factories.application("hidden", ("Viewer", acme["batch"]))
    for step in (
        lambda: delete_application(caller=mia, application_id=hidden.pk),
        lambda: regenerate_secret(caller=mia, application_id=hidden.pk),
        lambda: set_application_enabled(caller=mia, application_id=hidden.pk, enabled=False),
    ):
        with pytest.raises(NotFound):
            step()


# Regenerating.


def test_regenerating_replaces_secret_and_credential(sam: Caller) -> None:
    first = create_application(caller=sam, name="ci-prod")
    second = regenerate_secret(caller=sam, application_id=str(first.application.pk))
    now = Application.objects.get()
    assert second.secret != first.secret
    assert verify_secret(factories.hash_of(now), second.secret)
    assert not verify_secret(factories.hash_of(now), first.secret)
    assert now.credential_id != first.application.credential_id
    assert now.updated_at > first.application.updated_at
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.entity_id) == ("update", str(now.pk))
    assert event.changes == {"clientSecret": ["previous", "regenerated"]}
    assert AuditEvent.objects.count() == 2
    for secret in (first.secret, second.secret, factories.hash_of(now)):
        assert secret not in _audit_log_text()


def test_resubmitting_the_form_regenerates_once(sam: Caller) -> None:
    made = create_application(caller=sam, name="ci-prod").application
    form = uuid.uuid4()
    issued = regenerate_secret(caller=sam, application_id=made.pk, submission=form)
    with pytest.raises(AlreadyDone):
        regenerate_secret(caller=sam, application_id=made.pk, submission=form)
    assert verify_secret(factories.hash_of(Application.objects.get()), issued.secret)
    assert AuditEvent.objects.count() == 2


# Enabling and disabling.


def test_disabling_and_enabling_write_one_audit_row_each(sam: Caller) -> None:
    made = create_application(caller=sam, name="ci-prod").application
    seen = []
    for enabled in (False, True):
        set_application_enabled(caller=sam, application_id=made.pk, enabled=enabled)
        now = Application.objects.get()
        assert now.enabled is enabled
        assert Subject.objects.get(pk=made.pk).enabled is enabled
        seen.append(now.updated_at)
    assert made.updated_at < seen[0] < seen[1]
    changes = (
        AuditEvent.objects.filter(action="update").order_by("pk").values_list("changes", flat=True)
    )
    assert list(changes) == [{"enabled": [True, False]}, {"enabled": [False, True]}]


@pytest.mark.parametrize("enabled", [True, False])
def test_unchanged_status_writes_nothing(sam: Caller, enabled: bool) -> None:
    ci = factories.application("ci-prod")
    Subject.objects.filter(pk=ci.pk).update(enabled=enabled)
    set_application_enabled(caller=sam, application_id=ci.pk, enabled=enabled)
    now = Application.objects.get()
    assert (now.updated_at, now.credential_id) == (ci.updated_at, ci.credential_id)
    assert not AuditEvent.objects.exists()


# Deleting.


def test_deleting_removes_the_credential_and_keeps_the_audit_log(
    sam: Caller, acme: Organization
) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]), ("Viewer", acme["batch"]))
    other = factories.application("ci-test", ("Viewer", acme["vision"]))
    delete_application(caller=sam, application_id=ci.pk)
    assert [a.name for a in Application.objects.all()] == ["ci-test"]
    subject = Subject.objects.get(pk=ci.pk)
    assert subject.retired_at
    assert not subject.enabled
    rules = AccessRule.objects.filter(subject=subject)
    assert rules.count() == 2
    assert not rules.living().exists()
    assert all(rule.updated_at == rule.deleted_at for rule in rules)
    assert AccessRule.objects.living().filter(subject=other.subject).count() == 1


def test_deleting_audits_the_application_and_each_rule(sam: Caller, acme: Organization) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]), ("Viewer", acme["batch"]))
    deleted = factories.rule(ci, "Viewer", acme["alpha"])
    AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=deleted.created_at)
    delete_application(caller=sam, application_id=ci.pk)
    events = [(e.action, e.entity_type, e.entity_name) for e in AuditEvent.objects.order_by("pk")]
    assert sorted(events) == [
        ("delete", "access_rule", "ci-prod is Viewer in project batch"),
        ("delete", "access_rule", "ci-prod is Viewer in project vision"),
        ("delete", "application", "ci-prod"),
    ]


def test_deleted_application_is_not_found(sam: Caller) -> None:
    ci = factories.application("ci-prod")
    delete_application(caller=sam, application_id=ci.pk)
    for step in (
        lambda: delete_application(caller=sam, application_id=ci.pk),
        lambda: regenerate_secret(caller=sam, application_id=ci.pk),
        lambda: set_application_enabled(caller=sam, application_id=ci.pk, enabled=True),
    ):
        with pytest.raises(NotFound):
            step()
    assert AuditEvent.objects.count() == 1


# All or nothing.


@pytest.mark.parametrize(
    "step",
    ["create", "create-without", "regenerate", "disable", "enable", "delete", "several"],
)
def test_change_and_audit_row_are_atomic(
    sam: Caller, acme: Organization, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]))
    if step == "enable":
        Subject.objects.filter(pk=ci.pk).update(enabled=False)

    def state() -> list[object]:
        return [
            list(model.objects.order_by("pk").values())
            for model in (Application, Subject, AccessRule)
        ]

    def broken(*_: object, **__: object) -> None:
        raise DatabaseError("the record is full")

    before = state()
    monkeypatch.setattr(AuditEvent, "save", broken)
    monkeypatch.setattr(AuditEvent.objects, "bulk_create", broken)
    with pytest.raises(DatabaseError, match="the record is full"):
        match step:
            case "create":
                create_application(caller=sam, name="ci-test")
            case "create-without":
                create_application_without_secret(caller=sam, name="ci-test")
            case "regenerate":
                regenerate_secret(caller=sam, application_id=ci.pk)
            case "disable" | "enable":
                set_application_enabled(caller=sam, application_id=ci.pk, enabled=step == "enable")
            case "delete":
                delete_application(caller=sam, application_id=ci.pk)
            case "several":
                other = factories.application("ci-test")
                before = state()
                delete_applications(caller=sam, applications=[ci, other])
    assert state() == before


# Bulk actions.


def test_bulk_delete_removes_rules_and_audits_each_application(
    sam: Caller, acme: Organization
) -> None:
    kept = factories.application("kept", ("Viewer", acme["vision"]))
    some = [
        factories.application(name, ("Viewer", acme["vision"]), ("Editor", acme["sales"]))
        for name in ("ci-prod", "ci-test")
    ]
    deleted = delete_applications(caller=sam, applications=some)
    assert {one.pk for one in deleted} == {one.pk for one in some}
    assert [one.pk for one in Application.objects.all()] == [kept.pk]
    assert not AccessRule.objects.living().filter(subject__in=[one.pk for one in some]).exists()
    assert AccessRule.objects.living().filter(subject=kept.pk).count() == 1
    for one in Subject.objects.filter(pk__in=[one.pk for one in some]):
        assert one.retired_at
        assert not one.enabled
        events = AuditEvent.objects.filter(action="delete", entity_name__contains=one.name)
        assert sorted(event.entity_type for event in events) == [
            "access_rule", "access_rule", "application",
        ]  # fmt: skip


def test_bulk_delete_skips_applications_already_deleted(sam: Caller) -> None:
    first, second = factories.application("ci-prod"), factories.application("ci-test")
    delete_application(caller=sam, application_id=first.pk)
    deleted = delete_applications(caller=sam, applications=[first, second])
    assert deleted == [second]
    assert delete_applications(caller=sam, applications=[first, second]) == []
    assert AuditEvent.objects.filter(action="delete").count() == 2


def test_bulk_status_change_audits_each_application(sam: Caller, acme: Organization) -> None:
    some = [factories.application(name, ("Viewer", acme["vision"])) for name in ("one", "two")]
    credentials = {one.credential_id for one in some}
    deleted = factories.application("deleted")
    delete_application(caller=sam, application_id=deleted.pk)
    for enabled in (False, True):
        refusals = set_applications_enabled(
            caller=sam, applications=[*some, deleted], enabled=enabled
        )
        assert refusals == {one.pk: None for one in some}
        for one in Application.objects.select_related("subject"):
            assert one.enabled is enabled
            assert one.credential_id not in credentials
        events = AuditEvent.objects.filter(
            action="update", entity_type="application", changes={"enabled": [not enabled, enabled]}
        )
        assert sorted(events.values_list("entity_name", flat=True)) == ["one", "two"]
    before = AuditEvent.objects.count()
    set_applications_enabled(caller=sam, applications=some, enabled=True)
    assert AuditEvent.objects.count() == before


def test_bulk_enable_refuses_applications_stronger_than_the_caller(
    acme: Organization,
) -> None:
    factories.custom_role("Keeper", apps="cru")
    kim = factories.caller(factories.person("kim@acme.example", "Keeper"))
    weak = factories.application("weak")
    strong = factories.application("strong", ("System administrator", acme["account"]))
    for one in (weak, strong):
        Subject.objects.filter(pk=one.pk).update(enabled=False)
    refusals = set_applications_enabled(caller=kim, applications=[weak, strong], enabled=True)
    assert refusals[weak.pk] is None
    assert str(refusals[strong.pk]).startswith("strong has")
    enabled = Subject.objects.filter(enabled=True, type="app").values_list("name", flat=True)
    assert list(enabled) == ["weak"]


@pytest.mark.parametrize("what", ["delete", "disable"])
def test_bulk_query_count_does_not_depend_on_the_number(
    sam: Caller, acme: Organization, what: str
) -> None:
    def cost(number: int) -> int:
        made = factories.many_applications(number, ("Viewer", acme["vision"]))
        with CaptureQueriesContext(connection) as queries:
            if what == "delete":
                delete_applications(caller=sam.refresh_authority(), applications=made)
            else:
                set_applications_enabled(
                    caller=sam.refresh_authority(), applications=made, enabled=False
                )
        return len(queries)

    assert cost(40) == cost(1)


# Concurrency.


@pytest.mark.django_db(transaction=True)
def test_concurrent_creations_with_one_name_succeed_once() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    outcomes = together([lambda: create_application(caller=sam, name="ci-prod") for _ in range(4)])
    won = [outcome for outcome in outcomes if isinstance(outcome, IssuedSecret)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert (len(won), len(lost)) == (1, 3), outcomes
    assert verify_secret(factories.hash_of(Application.objects.get()), won[0].secret)
    assert Subject.objects.filter(type="app").count() == AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_submissions_of_a_form_create_one_application() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    form = uuid.uuid4()
    outcomes = together(
        [lambda: create_application(caller=sam, name="ci-prod", submission=form) for _ in range(3)]
    )
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["AlreadyDone", "AlreadyDone", "IssuedSecret"], outcomes
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_regenerations_leave_one_valid_secret() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    ci = factories.application("ci-prod")
    outcomes = together(
        [lambda: regenerate_secret(caller=sam, application_id=ci.pk) for _ in range(4)]
    )
    assert all(isinstance(outcome, IssuedSecret) for outcome in outcomes), outcomes
    stored = factories.hash_of(Application.objects.get())
    assert [verify_secret(stored, outcome.secret) for outcome in outcomes].count(True) == 1
    assert AuditEvent.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_concurrent_regeneration_and_deletion_leave_no_valid_secret() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    ci = factories.application("ci-prod", ("Viewer", factories.account()))
    outcomes = together(
        [
            lambda: regenerate_secret(caller=sam, application_id=ci.pk),
            lambda: delete_application(caller=sam, application_id=ci.pk),
            lambda: set_application_enabled(caller=sam, application_id=ci.pk, enabled=False),
        ]
    )
    assert isinstance(outcomes[1], Application), outcomes
    for other in (outcomes[0], outcomes[2]):
        assert isinstance(other, IssuedSecret | Application | NotFound), outcomes
    assert not Application.objects.exists()
    assert not AccessRule.objects.living().filter(subject=ci.subject).exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_bulk_deletions_delete_each_application_once() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    account = factories.account()
    some = factories.many_applications(6, ("Viewer", account))
    grants = [
        lambda one=one: create_access_rule(
            caller=sam, subject=one.subject, role=factories.role("Editor"), scope=account
        )
        for one in some[:3]
    ]
    deletions = [
        lambda some=some: delete_applications(caller=sam, applications=some)
        for some in (some, some[::-1], some[2:5])
    ]
    outcomes = together([*grants, *deletions])
    assert not [one for one in outcomes if not isinstance(one, AccessRule | NotFound | list)]
    deleted = [one.pk for outcome in outcomes[3:] for one in outcome]
    assert sorted(deleted) == sorted(one.pk for one in some)
    assert not AccessRule.objects.living().filter(subject__in=deleted).exists()
    assert AuditEvent.objects.filter(action="delete", entity_type="application").count() == 6
