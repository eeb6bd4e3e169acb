"""Commands for pipelines and setup use the same actions as the pages."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from accessrules.models import AccessRule, Scope, Subject
from applications.actions.deletion import delete_application
from applications.models import Application, ClientSecret
from applications.oauth.secret_use import BUFFER
from applications.oauth.secret_verification import authenticate
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from tests import factories
from tests.servers import Server, manage

pytestmark = pytest.mark.django_db


def run(*args: str) -> tuple[str, str]:
    """Run a command; return what it wrote to standard output and to standard error."""
    out, error = StringIO(), StringIO()
    call_command(*args, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def refusal(*args: str) -> str:
    """Run a command that must fail; return its message."""
    with pytest.raises(CommandError) as caught:
        run(*args)
    return str(caught.value)


def rules_of(name: str) -> list[tuple[str, Scope]]:
    rules = AccessRule.objects.living().filter(subject__name=name).select_related("role", "scope")
    return [(rule.role.name, rule.scope) for rule in rules]


@pytest.fixture
def vision() -> Scope:
    return factories.department("vision", factories.cluster("gpu-east"))


# create_application


def test_a_created_application_can_sign_in_with_the_shown_secret() -> None:
    out, _ = run("create_application", "ci-pipeline")
    secret = out.partition("Client secret:")[2].split()[0]
    assert authenticate("ci-pipeline", secret)
    assert Application.objects.get().created_by == "system"
    assert rules_of("ci-pipeline") == []


def test_standard_output_contains_only_json() -> None:
    out, error = run("create_application", "ci-pipeline", "--role", "Viewer", "--json")
    answer = json.loads(out)
    application = Application.objects.get()
    assert list(answer) == ["id", "clientId", "clientSecret"]
    assert answer["id"] == str(application.pk)
    assert answer["clientId"] == "ci-pipeline"
    assert authenticate("ci-pipeline", answer["clientSecret"])
    assert "Created application ci-pipeline" in error
    assert answer["clientSecret"] not in error


def test_a_role_without_a_scope_is_granted_in_the_account() -> None:
    run("create_application", "ci-pipeline", "--role", "Viewer")
    assert rules_of("ci-pipeline") == [("Viewer", factories.account())]


@pytest.mark.parametrize("role", ["L1 researcher", "l1 RESEARCHER", "5"])
def test_a_role_is_given_by_name_or_id(role: str) -> None:
    run("create_application", "ci-pipeline", "--role", role)
    assert rules_of("ci-pipeline") == [("L1 researcher", factories.account())]


def test_a_scope_is_given_by_name_or_id(vision: Scope) -> None:
    for number, text in enumerate(["department:vision", f"department:{vision.uid}"]):
        run("create_application", f"app-{number}", "--role", "Viewer", "--scope", text)
        assert rules_of(f"app-{number}") == [("Viewer", vision)]


@pytest.mark.parametrize("type_", ["account", "tenant"])
@pytest.mark.parametrize("name_or_id", ["acme", "1001"])
def test_the_account_is_also_called_tenant(type_: str, name_or_id: str) -> None:
    run("create_application", "app", "--role", "Viewer", "--scope", f"{type_}:{name_or_id}")
    assert rules_of("app") == [("Viewer", factories.account())]


def test_an_ambiguous_name_is_refused_with_the_ids(vision: Scope) -> None:
    other = factories.department("vision", factories.cluster("gpu-west"))
    message = refusal(
        "create_application", "app", "--role", "Viewer", "--scope", "department:vision"
    )
    assert vision.uid in message
    assert other.uid in message
    assert not Application.objects.exists()


def test_an_id_has_precedence_over_an_equal_name(vision: Scope) -> None:
    factories.department(vision.uid, factories.cluster("gpu-west"))
    run("create_application", "app", "--role", "Viewer", "--scope", f"department:{vision.uid}")
    assert rules_of("app") == [("Viewer", vision)]


def test_the_system_scope_is_found_only_by_its_id() -> None:
    system = Scope.objects.get(type="system")
    Scope.objects.filter(pk=system.pk).update(name="everything")
    assert "System 'everything' not found." in refusal(
        "create_application", "app", "--role", "Viewer", "--scope", "system:everything"
    )
    run("create_application", "app", "--role", "Viewer", "--scope", f"system:{system.uid}")
    assert rules_of("app") == [("Viewer", system)]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["Ci-Pipeline"], "NAME: A name must start with a lowercase letter"),
        (["a" * 300], "this one has 300"),
        ([""], "NAME: Enter a name."),
        (["a7c86f0e-2d7e-4f5c-9a53-0b4ffa4c5a11"], "can't be a UUID"),
        (["taken"], "The name taken is taken."),
        (["app", "--role", "Emperor"], "Unknown role 'Emperor'. Assignable roles: "),
        (["app", "--role", "99999999999"], "Unknown role"),
        (["app", "--role", "Viewer", "--scope", "project:nowhere"], "Project 'nowhere' not found."),
        (["app", "--role", "Viewer", "--scope", "galaxy:one"], "--scope must look like"),
        (["app", "--role", "Viewer", "--scope", "project:"], "--scope must look like"),
        (["app", "--role", "Viewer", "--scope", "vision"], "--scope must look like"),
        (["app", "--scope", "account:acme"], "--scope requires --role"),
    ],
)
def test_a_refusal_gives_the_reason_and_creates_nothing(args: list[str], reason: str) -> None:
    factories.application("taken")
    assert reason in refusal("create_application", *args, "--json")
    assert list(Subject.objects.values_list("name", flat=True)) == ["taken"]
    assert not AuditEvent.objects.exists()


def test_application_and_rule_are_created_together_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: Any) -> None:
        raise CommandError("no rule")

    monkeypatch.setattr(
        "applications.management.commands.create_application.create_access_rule", fail
    )
    refusal("create_application", "app", "--role", "Viewer")
    assert not Application.objects.exists()
    assert not AuditEvent.objects.exists()


def test_the_audit_log_names_the_system_and_contains_no_secret() -> None:
    out, _ = run("create_application", "app", "--role", "Viewer", "--json")
    events = AuditEvent.objects.values_list("subject_name", "action", "entity_type")
    assert set(events) == {("system", "create", "application"), ("system", "create", "access_rule")}
    audit_log = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert json.loads(out)["clientSecret"] not in audit_log


def test_the_exit_status_shows_success_or_failure(server: Server) -> None:
    created = server.command("create_application", "by-a-pipeline", "--json")
    assert created.returncode == 0
    assert set(json.loads(created.stdout)) == {"id", "clientId", "clientSecret"}
    taken = server.command("create_application", "by-a-pipeline", "--json")
    assert taken.returncode == 1
    assert taken.stdout == ""
    assert "The name by-a-pipeline is taken." in taken.stderr
    assert "Traceback" not in taken.stderr


def test_an_unprepared_database_is_reported(empty_database: dict[str, str]) -> None:
    result = manage("create_application", "app", environment=empty_database)
    assert result.returncode == 1
    assert "manage.py prepare" in result.stderr
    assert "Traceback" not in result.stderr


# add_secret, list_secrets, revoke_secret


def test_secrets_are_rotated_by_commands() -> None:
    old = factories.application("ci-prod").secrets.get()
    out, _ = run("add_secret", "ci-prod", "--label", "runner", "--expires-in-days", "30", "--json")
    made = json.loads(out)
    assert made.keys() == {"id", "clientId", "clientSecret", "expiresAt"}
    assert authenticate("ci-prod", made["clientSecret"])
    assert run("revoke_secret", "ci-prod", old.pk)[0] == (
        f"Revoked client secret {old.pk} of ci-prod.\n"
    )
    listed = json.loads(run("list_secrets", "ci-prod", "--json")[0])
    assert [(row["id"], row["status"], row["label"]) for row in listed] == [
        (made["id"], "live", "runner"),
        (old.pk, "revoked", ""),
    ]
    assert f"{made['id']}  live      expires 20" in run("list_secrets", "ci-prod")[0]


def test_secret_in_use_is_revoked_only_without_the_option() -> None:
    old = factories.application("ci-prod").secrets.get()
    BUFFER.note(old.pk, Origin("192.0.2.7", agent="runner/1.0"), timezone.now())
    assert refusal("revoke_secret", "ci-prod", old.pk, "--if-unused") == (
        f"Client secret {old.pk} is in use by 192.0.2.7 runner/1.0."
    )
    [listed] = json.loads(run("list_secrets", "ci-prod", "--json")[0])
    assert listed["safeToRevoke"] is False
    ClientSecret.objects.update(last_used_at=timezone.now() - timedelta(hours=25))
    run("revoke_secret", "ci-prod", old.pk, "--if-unused")
    assert ClientSecret.objects.get().status == "revoked"


def test_added_secret_is_printed_once() -> None:
    factories.application("ci-prod")
    secret = run("add_secret", "ci-prod")[0].partition("Client secret:")[2].split()[0]
    assert authenticate("ci-prod", secret)
    assert secret not in run("list_secrets", "ci-prod")[0]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add_secret", "nobody"), "Unknown application 'nobody'."),
        (("list_secrets", "nobody"), "Unknown application 'nobody'."),
        (("revoke_secret", "ci-prod", "x"), "ci-prod has no live or expired client secret 'x'."),
        (("add_secret", "ci-prod", "--label", "x" * 101), "--label: A label must have at most 100"),
        (
            ("add_secret", "ci-prod", "--expires-in-days", "-1"),
            "--expires-in-days: The expiry must be in the future.",
        ),
    ],
)
def test_wrong_secret_command_says_why(arguments: tuple[str, ...], reason: str) -> None:
    factories.application("ci-prod")
    assert reason in refusal(*arguments)


# create_admin and reset_password


def shown_password(out: str) -> str:
    return out.partition("assword")[2].partition(": ")[2].split()[0]


def test_an_administrator_is_created_with_a_shown_password() -> None:
    out, _ = run("create_admin", "Alex@Example.com")
    user = User.objects.get()
    assert user.email == "alex@example.com"
    assert user.check_password(shown_password(out))
    assert rules_of("alex@example.com") == [("System administrator", factories.account())]


def test_an_administrator_can_have_a_chosen_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_ADMIN_PASSWORD", "correct-horse-battery-staple")
    out, _ = run("create_admin", "alex@example.com")
    assert User.objects.get().check_password("correct-horse-battery-staple")
    assert "correct-horse" not in out


def test_a_weak_password_creates_no_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_ADMIN_PASSWORD", "password")
    message = refusal("create_admin", "alex@example.com")
    assert message.startswith("RUNAI_ACCESS_ADMIN_PASSWORD: This password is too short.")
    assert not User.objects.exists()


def test_create_admin_enables_a_disabled_user(django_user_model: type[User]) -> None:
    person = factories.person("alex@example.com", password=new_password())
    Subject.objects.filter(pk=person.pk).update(enabled=False)
    out, _ = run("create_admin", "alex@example.com")
    person = django_user_model.objects.get(pk=person.pk)
    assert person.is_active
    assert person.check_password(shown_password(out))
    assert rules_of("alex@example.com") == [("System administrator", factories.account())]


def test_creating_an_administrator_again_adds_no_second_rule() -> None:
    run("create_admin", "alex@example.com")
    run("create_admin", "alex@example.com")
    assert len(rules_of("alex@example.com")) == 1


def test_a_reset_password_replaces_the_previous_one() -> None:
    person = factories.person("priya@example.com", password="the-password-before")
    out, _ = run("reset_password", "priya@example.com")
    person.refresh_from_db()
    assert person.check_password(shown_password(out))
    assert not person.check_password("the-password-before")
    assert rules_of("priya@example.com") == []


def test_resetting_the_password_of_a_disabled_user_warns() -> None:
    person = factories.person("priya@example.com")
    Subject.objects.filter(pk=person.pk).update(enabled=False)
    _, error = run("reset_password", "priya@example.com")
    assert "is disabled" in error


def test_an_unknown_email_is_refused() -> None:
    assert "EMAIL: Enter a valid email" in refusal("create_admin", "nobody")
    assert "No user has the email 'nobody'" in refusal("reset_password", "nobody")


def test_edit_application_changes_the_details() -> None:
    factories.application("ci")
    factories.group("ops")
    out, _ = run(
        "edit_application", "ci", "--owner", "ops", "--label", "env=prod", "--label", "team=vision"
    )
    assert out.splitlines()[1:] == [
        "Owner:        ops", "Description:  none", "Addresses:    all",
        "Labels:       env=prod, team=vision",
    ]  # fmt: skip
    run("edit_application", "ci", "--owner", "", "--remove-label", "env", "--description", "Trains")
    found = Application.objects.get()
    assert (found.owner, found.labels) == (None, {"team": "vision"})
    assert refusal("edit_application", "ci", "--label", "prod").startswith("--label: “prod” is not")
    assert refusal("edit_application", "ci", "--owner", "x").startswith("--owner: There is no user")


def test_deleted_application_is_restored_by_name_or_id(vision: Scope) -> None:
    for name in ("first", "second"):
        factories.application(name, ("Viewer", vision))
        delete_application(
            caller=SYSTEM, application_id=Application.objects.get(subject__name=name).pk
        )
    listed, _ = run("restore_application")
    assert [line.split()[-1] for line in listed.splitlines()] == ["second", "first"]
    out, _ = run("restore_application", "first")
    assert out == "Restored application first.\n"
    run("restore_application", listed.split()[0])
    assert rules_of("first") == rules_of("second") == [("Viewer", vision)]
    assert refusal("restore_application", "first") == "Resource id not found."


def test_ambiguous_name_of_a_deleted_application_is_refused_with_the_ids() -> None:
    both = [factories.deleted_application("ci").pk for _ in range(2)]
    message = refusal("restore_application", "ci")
    assert all(str(pk) in message for pk in both)


def test_rules_of_another_application_are_copied(vision: Scope) -> None:
    factories.application("ci", ("Viewer", vision))
    out, _ = run("create_application", "cd", "--like", "ci")
    assert "Created application cd: cd is Viewer in department vision." in out
    assert rules_of("cd") == [("Viewer", vision)]
    assert refusal("create_application", "ce", "--like", "missing") == (
        "Unknown application 'missing'."
    )


# contain_application, report_application, replace_secret


def test_contained_application_is_enabled_with_the_printed_secret() -> None:
    ci = factories.application("ci")
    assert "Contained ci." in run("contain_application", "ci")[0]
    assert not Application.objects.get().enabled
    document = json.loads(run("replace_secret", "ci", "--json")[0])
    assert document["clientId"] == "ci"
    assert authenticate("ci", document["clientSecret"])
    assert not ci.secrets.live().filter(pk=ci.used_secret.pk).exists()
    assert refusal("replace_secret", "ci") == "ci is not contained."
    run("contain_application", "ci")
    secret = run("replace_secret", "ci")[0].partition("Client secret:")[2].split()[0]
    assert authenticate("ci", secret)


def test_report_is_printed_as_csv() -> None:
    ci = factories.application("ci")
    BUFFER.note(ci.used_secret.pk, Origin("192.0.2.7", agent="curl/8"), timezone.now())
    BUFFER.write()
    header, row = run("report_application", "ci")[0].splitlines()
    assert header.startswith("\ufeffType,Time (UTC),Address")
    assert "192.0.2.7,curl/8" in row
