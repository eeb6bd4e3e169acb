"""Explanations: the rules that allow an action, or the near misses and the narrowest remedy."""

from io import StringIO
from itertools import product

import pytest
from django.core.management import CommandError, call_command

from accessrules.authorization.application_explanation import explain_for_application
from accessrules.authorization.authority import allowed
from accessrules.authorization.explanation import Explanation, explain
from accessrules.models import AccessRule, Subject
from applications.models import Application
from tests import factories
from tests.domain.conftest import Organization
from tests.servers import environment_on, manage


def explained(holder: factories.Holder, question: str, acme: Organization) -> Explanation:
    """Explain a question such as "create workspaces vision"."""
    action, resource_type, place = question.split()
    subject = Subject.objects.get(pk=factories.subject_of(holder).pk)
    return explain(subject, action, resource_type, acme[place])


def test_a_yes_lists_every_rule_that_allows_it(acme: Organization) -> None:
    ci = factories.application(
        "ci", ("L1 researcher", acme["research"]), ("Viewer", acme["vision"])
    )
    rule = factories.rule(factories.group("ops", ci), "ML engineer", acme["alpha"])
    lines = explained(ci, "read workspaces vision", acme).lines()
    assert lines[0] == "Yes: ci can read workspaces in project vision."
    assert len(lines) == 4
    assert lines[3] == (
        f"  allowed by: ci is ML engineer in cluster alpha through group ops (rule {rule.pk})"
    )
    assert len(explained(ci, "create workspaces vision", acme).rules) == 1


def test_a_no_lists_near_misses_and_the_narrowest_remedy(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["research"]))
    for name in ("batch", "forecast", "speech"):
        factories.rule(ci, "L1 researcher", acme[name])
    explanation = explained(ci, "create workspaces vision", acme)
    assert not explanation.allowed
    assert [miss.rule.scope.name for miss in explanation.near_misses] == [
        "speech", "forecast", "batch",
    ]  # fmt: skip
    assert explanation.near_misses[0].why_not == (
        "it applies in project speech and below, not in project vision."
    )
    assert explanation.lines()[-1] == (
        f"  narrowest rule that would allow it: ci is {explanation.remedy} in project vision."
    )


def test_a_rule_for_the_scope_without_the_action_is_a_near_miss(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["research"]), ("Viewer", acme["batch"]))
    (miss,) = explained(ci, "delete workspaces vision", acme).near_misses
    assert miss.why_not == "Viewer does not have the “Delete workspaces” permission."
    assert miss.rule.scope == acme["research"]


def test_the_suggested_rule_allows_it_with_the_smallest_role(acme: Organization) -> None:
    expected = {
        "create workspaces vision": "L2 researcher",
        "read apps research": "Auditor",
        "update policies alpha": "Department administrator",
        # ML engineer has fewer permissions, but some are write permissions.
        "read workloads vision": "Department viewer",
    }
    for question, name in expected.items():
        ci = factories.application("ci-" + question.replace(" ", "-"))
        remedy = explained(ci, question, acme).remedy
        assert remedy is not None
        assert (remedy.name, remedy.assignable) == (name, True)
        factories.rule(ci, name, acme[question.split()[2]])
        assert explained(ci, question, acme).allowed


def test_account_only_permissions_are_explained(acme: Organization) -> None:
    ci = factories.application("ci", ("Auditor", acme["research"]))
    explanation = explained(ci, "read events-history research", acme)
    assert not explanation.allowed
    assert not explanation.is_disabled
    assert explanation.near_misses[0].why_not == (
        "“View event history” requires a rule on the account."
    )
    assert explanation.lines()[-1] == (
        "  narrowest rule that would allow it: ci is Auditor in the account."
    )
    (miss,) = explained(ci, "read events-history account", acme).near_misses
    assert miss.rule.scope == acme["research"]
    assert miss.why_not == "“View event history” requires a rule on the account."
    factories.rule(ci, "Auditor", acme["account"])
    assert explained(ci, "read events-history research", acme).allowed


def test_a_permission_without_a_role_is_explained(acme: Organization) -> None:
    lines = explained(factories.application("ci"), "create nodes vision", acme).lines()
    assert lines[1:] == [
        "  No access rule, its own or from a group, comes close.",
        "  No assignable role has this permission.",
    ]


def test_a_disabled_subject_is_reported(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]))
    Subject.objects.filter(pk=ci.pk).update(enabled=False)
    lines = explained(ci, "read workspaces vision", acme).lines()
    assert lines[1] == "  ci is disabled, so it has no permissions."
    assert lines[2].endswith("ci is disabled; if it is enabled, this rule allows it.")
    assert len(lines) == 3


def test_a_disabled_group_is_reported(acme: Organization) -> None:
    ci = factories.application("ci")
    ops = factories.group("ops", ci)
    factories.rule(ops, "Viewer", acme["vision"])
    Subject.objects.filter(pk=ops.pk).update(enabled=False)
    lines = explained(ci, "read workspaces vision", acme).lines()
    assert lines[1].endswith("ops is disabled; if it is enabled, this rule allows it.")
    assert len(lines) == 2


def test_a_deleted_rule_is_not_a_near_miss(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]))
    rule = AccessRule.objects.get(subject=ci.subject)
    AccessRule.objects.filter(pk=rule.pk).update(deleted_at=rule.created_at)
    assert explained(ci, "read workspaces vision", acme).near_misses == []


def test_explanations_agree_with_decisions(acme: Organization) -> None:
    una = factories.person("una@acme.example", "Viewer", acme["beta"])
    factories.rule(una, "L1 researcher", acme["vision"])
    factories.rule(factories.group("ops", una), "Editor", acme["sales"])
    for action, type_, (name, scope) in product(
        ("create", "read"), ("workspaces", "project", "apps"), acme.scopes.items()
    ):
        explanation = explained(una, f"{action} {type_} {name}", acme)
        assert explanation.allowed is allowed(una.subject, action, type_, scope)
        assert bool(explanation.rules) is explanation.allowed


# The command


@pytest.fixture
def ci(acme: Organization) -> None:
    factories.application("ci", ("Viewer", acme["research"]))
    ada = factories.person("ada@acme.example", "Viewer")
    factories.group("ops", ada)


def command(*arguments: str) -> tuple[int, str]:
    """Run `explain`; return its exit status and output."""
    out = StringIO()
    try:
        call_command("explain", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        ("app:ci read workspaces project:vision", 0, "Yes: ci can read workspaces in project"),
        ("service-account:ci read workspaces project:vision", 0, "Yes: ci can"),
        ("user:Ada@Acme.example read workspaces account", 0, "Yes: ada@acme.example can"),
        ("group:ops read workspaces cluster:alpha", 1, "No: ops cannot"),
        ("app:ci create service-account account", 1, "cannot create applications in account"),
        ("ci read workspaces account", 2, "SUBJECT must look like app:ci-pipeline-prod, not 'ci'"),
        ("app:nobody read workspaces account", 2, "Application 'nobody' not found"),
        ("app:ci purge workspaces account", 2, "ACTION must be one of create, read, update, del"),
        ("app:ci read unicorns account", 2, "Unknown resource type 'unicorns'"),
        ("app:ci read workspaces vision", 2, "SCOPE must look like project:vision-train, not 'v"),
        ("app:ci read workspaces project:x", 2, "Project 'x' not found"),
    ],
)
def test_the_command_reports_the_answer_as_exit_status(
    ci: None, arguments: str, status: int, expected: str
) -> None:
    exit_status, text = command(*arguments.split())
    assert exit_status == status, text
    assert expected in text


def test_a_missing_argument_exits_with_status_2() -> None:
    completed = manage("explain", "app:ci", environment=environment_on("sqlite:///unused"))
    assert completed.returncode == 2
    assert "required: ACTION, RESOURCE, SCOPE" in completed.stderr


def about(holder: factories.Holder, action: str, application: Application) -> list[str]:
    """Explain what a subject can do with an application."""
    return explain_for_application(
        factories.subject_of(holder), action, application.subject
    ).lines()


def test_an_owner_is_allowed_through_a_group_and_a_permission_in_any_scope(
    acme: Organization,
) -> None:
    factories.custom_role("Application manager", apps="ru")
    ci = factories.application("ci")
    mia = factories.person("mia@acme.example", "Viewer", acme["vision"])
    rule = factories.rule(mia, "Application manager", acme["speech"])
    Application.objects.update(owner=factories.group("ops", mia))
    is_manager = f"mia@acme.example is Application manager in project speech (rule {rule.pk})"
    assert about(mia, "update", ci) == [
        "Yes: mia@acme.example can manage the client secrets of ci.",
        f"  allowed by: mia@acme.example owns ci through group ops, and {is_manager}",
    ]
    assert about(mia, "read", ci)[0] == "Yes: mia@acme.example can view ci."
    assert about(mia, "delete", ci)[0] == "No: mia@acme.example cannot delete ci."
    factories.rule(ci, "Viewer", acme["sales"])
    answer, reason, *_ = about(mia, "update", ci)
    assert answer == "No: mia@acme.example cannot manage the client secrets of ci."
    assert reason.startswith("  mia@acme.example owns ci through group ops, but ci has ")


def test_an_explanation_for_an_application_names_its_owner_and_rules(acme: Organization) -> None:
    factories.custom_role("Application reader", apps="r")
    ci, bare = factories.application("ci"), factories.application("bare")
    rule = factories.rule(ci, "Viewer", acme["vision"])
    rita = factories.person("rita@acme.example", "Application reader", acme["research"])
    of_ci = f"ci is Viewer in project vision (rule {rule.pk})"
    assert about(rita, "read", ci) == [
        "Yes: rita@acme.example can view ci.",
        f"  allowed by: {of_ci}, where rita@acme.example can view applications",
        "  ci has no owner.",
    ]
    noor = factories.person("noor@acme.example")
    Application.objects.filter(pk=bare.pk).update(owner=noor.subject)
    assert "  bare is owned by noor@acme.example." in about(rita, "read", bare)
    assert (
        "  noor@acme.example owns bare, but has the “View applications” permission in no scope."
        in about(noor, "read", bare)
    )


def test_an_explanation_for_an_application_agrees_with_the_account(acme: Organization) -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    ci = factories.application("ci")
    answer, reason = about(sam, "delete", ci)
    assert answer == "Yes: sam@acme.example can delete ci."
    assert "is System administrator in account" in reason


def test_the_command_explains_an_application(acme: Organization) -> None:
    factories.person("sam@acme.example", "System administrator")
    factories.application("ci")
    out = StringIO()
    call_command("explain", "user:sam@acme.example", "read", "apps", "app:ci", stdout=out)
    assert out.getvalue().startswith("Yes: sam@acme.example can view ci.")
    with pytest.raises(CommandError, match="RESOURCE must be apps for app:ci"):
        call_command("explain", "user:sam@acme.example", "read", "project", "app:ci")
