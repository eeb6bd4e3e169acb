"""Yes or no and why: the rule that allows, or what comes near and what would do."""

import subprocess
import sys
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accessrules.authorization.authority import allowed
from accessrules.authorization.explanation import Explanation, explain
from accessrules.models import AccessRule, Subject
from tests import factories
from tests.domain.conftest import Organization


def asked(holder: factories.Holder, question: str, acme: Organization) -> Explanation:
    """Ask "create workspaces vision"."""
    action, resource_type, place = question.split()
    subject = Subject.objects.get(pk=factories.subject_of(holder).pk)
    return explain(subject, action, resource_type, acme[place])


def test_yes_names_every_rule_that_allows_and_no_other(acme: Organization) -> None:
    ci = factories.application(
        "ci", ("L1 researcher", acme["research"]), ("Viewer", acme["vision"])
    )
    rule = factories.rule(factories.group("ops", ci), "ML engineer", acme["alpha"])
    said = asked(ci, "read workspaces vision", acme).lines()
    assert said[0] == "Yes: ci may read Workspaces in project vision."
    assert len(said) == 4
    assert said[3] == (
        f"  allowed by: ci is ML engineer in cluster alpha through group ops (rule {rule.pk})"
    )
    assert len(asked(ci, "create workspaces vision", acme).rules) == 1


def test_no_names_the_nearest_rules_and_the_narrowest_that_would(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["research"]))
    for name in ("batch", "forecast", "speech"):
        factories.rule(ci, "L1 researcher", acme[name])
    explanation = asked(ci, "create workspaces vision", acme)
    assert not explanation.allowed
    assert [miss.rule.scope.name for miss in explanation.near_misses] == [
        "speech", "forecast", "batch",
    ]  # fmt: skip
    assert explanation.near_misses[0].why_not == (
        "it holds in project speech and below, and project vision is not there."
    )
    assert explanation.lines()[-1] == (
        f"  the narrowest rule that would: ci is {explanation.remedy} in project vision."
    )


def test_a_rule_that_covers_the_scope_but_not_the_action_is_near(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["research"]), ("Viewer", acme["batch"]))
    (miss,) = asked(ci, "delete workspaces vision", acme).near_misses
    assert miss.why_not == "Viewer does not permit delete on Workspaces."
    assert miss.rule.scope == acme["research"]


def test_the_suggested_rule_would_allow_it_and_no_smaller_role_would(acme: Organization) -> None:
    expected = {
        "create workspaces vision": "L2 researcher",
        "read apps research": "Auditor",
        "update policies alpha": "Department administrator",
        # ML engineer permits fewer things, but to change some of them.
        "read workloads vision": "Department viewer",
    }
    for question, name in expected.items():
        ci = factories.application("ci-" + question.replace(" ", "-"))
        remedy = asked(ci, question, acme).remedy
        assert remedy is not None
        assert (remedy.name, remedy.assignable) == (name, True)
        factories.rule(ci, name, acme[question.split()[2]])
        assert asked(ci, question, acme).allowed


def test_what_only_a_rule_on_the_account_gives_is_explained(acme: Organization) -> None:
    ci = factories.application("ci", ("Auditor", acme["research"]))
    explanation = asked(ci, "read events-history research", acme)
    assert not explanation.allowed
    assert not explanation.is_switched_off
    assert explanation.near_misses[0].why_not == (
        "read on Event history can only be given on the account."
    )
    assert explanation.lines()[-1] == (
        "  the narrowest rule that would: ci is Auditor in the account."
    )
    (miss,) = asked(ci, "read events-history account", acme).near_misses
    assert miss.rule.scope == acme["research"]
    assert miss.why_not == "read on Event history can only be given on the account."
    factories.rule(ci, "Auditor", acme["account"])
    assert asked(ci, "read events-history research", acme).allowed


def test_what_no_role_permits_is_said_so(acme: Organization) -> None:
    said = asked(factories.application("ci"), "create nodes vision", acme).lines()
    assert said[1:] == [
        "  No access rule of its own or of its groups comes near.",
        "  No role that can be assigned permits this.",
    ]


def test_a_disabled_subject_is_told_to_be_disabled(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]))
    Subject.objects.filter(pk=ci.pk).update(enabled=False)
    said = asked(ci, "read workspaces vision", acme).lines()
    assert said[1] == "  ci is disabled, and so may do nothing."
    assert said[2].endswith("ci is disabled; once it is enabled, this rule allows it.")
    assert len(said) == 3


def test_a_disabled_group_is_named(acme: Organization) -> None:
    ci = factories.application("ci")
    ops = factories.group("ops", ci)
    factories.rule(ops, "Viewer", acme["vision"])
    Subject.objects.filter(pk=ops.pk).update(enabled=False)
    said = asked(ci, "read workspaces vision", acme).lines()
    assert said[1].endswith("ops is disabled; once it is enabled, this rule allows it.")
    assert len(said) == 2


def test_a_deleted_rule_explains_nothing(acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme["vision"]))
    rule = AccessRule.objects.get(subject=ci.subject)
    AccessRule.objects.filter(pk=rule.pk).update(deleted_at=rule.created_at)
    assert asked(ci, "read workspaces vision", acme).near_misses == []


def test_the_answer_is_the_decision_and_its_rules_are_its_reason(acme: Organization) -> None:
    una = factories.person("una@acme.example", "Viewer", acme["beta"])
    factories.rule(una, "L1 researcher", acme["vision"])
    factories.rule(factories.group("ops", una), "Editor", acme["sales"])
    for action, type_, (name, scope) in product(
        ("create", "read"), ("workspaces", "project", "apps"), acme.scopes.items()
    ):
        explanation = asked(una, f"{action} {type_} {name}", acme)
        assert explanation.allowed is allowed(una.subject, action, type_, scope)
        assert bool(explanation.rules) is explanation.allowed


# The command


@pytest.fixture
def ci(acme: Organization) -> None:
    factories.application("ci", ("Viewer", acme["research"]))
    ada = factories.person("ada@acme.example", "Viewer")
    factories.group("ops", ada)


def command(*words: str) -> tuple[int, str]:
    """Run `explain`; return its exit status and what it said."""
    out = StringIO()
    try:
        call_command("explain", *words, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("app:ci read workspaces project:vision", 0, "Yes: ci may read Workspaces in project"),
        ("service-account:ci read workspaces project:vision", 0, "Yes: ci may"),
        ("user:Ada@Acme.example read workspaces account", 0, "Yes: ada@acme.example may"),
        ("group:ops read workspaces cluster:alpha", 1, "No: ops may not"),
        ("app:ci create service-account account", 1, "may not create Applications in account"),
        ("ci read workspaces account", 2, "SUBJECT must look like app:ci-pipeline-prod, not 'ci'"),
        ("app:nobody read workspaces account", 2, "There is no application 'nobody'"),
        ("app:ci purge workspaces account", 2, "ACTION must be one of create, read, update, del"),
        ("app:ci read unicorns account", 2, "There is no resource type 'unicorns'"),
        ("app:ci read workspaces vision", 2, "SCOPE must look like project:vision-train, not 'v"),
        ("app:ci read workspaces project:x", 2, "There is no project 'x'"),
    ],
)
def test_the_command_answers_with_its_exit_status(
    ci: None, words: str, status: int, said: str
) -> None:
    ended, text = command(*words.split())
    assert ended == status, text
    assert said in text


def test_a_missing_argument_is_an_error_of_status_2() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "explain", "app:ci"],
        cwd=Path(settings.BASE_DIR),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 2
    assert b"required: ACTION, RESOURCE, SCOPE" in ended.stderr
