"""Owner, description and labels of applications, and the rights of owners."""

import pytest
from django.core.exceptions import ValidationError

from accessrules.actions.subjects import retire_subjects
from accessrules.authorization.callers import SYSTEM, Caller
from applications import policy
from applications.actions.secrets import add_secret, regenerate_secret, revoke_secret
from applications.details import DetailsChange, change_details, change_details_of_many
from applications.models import Application
from applications.validators import read_labels
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci(acme: Organization) -> Application:
    """An application that can view the project vision."""
    return factories.application("ci", ("Viewer", acme["vision"]))


@pytest.fixture
def mia(acme: Organization) -> User:
    """Mia can read and update applications, and view, in the project speech only."""
    factories.custom_role("Application manager", apps="ru")
    mia = factories.person("mia@acme.example", "Viewer", acme["vision"])
    factories.rule(mia, "Application manager", acme["speech"])
    return mia


def own(application: Application, owner: factories.Holder) -> None:
    Application.objects.filter(pk=application.pk).update(owner=factories.subject_of(owner))


def edit(application: Application, **change: object) -> Application:
    return change_details(
        caller=SYSTEM,
        application_id=application.pk,
        change=DetailsChange(**change),  # type: ignore[arg-type]  # the fields of each test
    )


def errors_of(application: Application, **change: object) -> dict[str, list[str]]:
    """Return the errors, by field, of a change that is refused; it must change nothing."""
    with pytest.raises(ValidationError) as caught:
        edit(application, **change)
    application.refresh_from_db()
    assert (application.owner, application.description, application.labels) == (None, "", {})
    return dict(caught.value.message_dict)


# Changes.


def test_details_are_stored_and_audited_with_one_event(ci: Application) -> None:
    ops = factories.group("ops")
    edit(
        ci, owner="OPS", description=" Trains  at night ", labels={"team": "vision", "env": "prod"}
    )
    ci.refresh_from_db()
    assert (ci.owner, ci.labels) == (ops, {"env": "prod", "team": "vision"})
    assert ci.description == "Trains  at night"
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.entity_name) == ("update", "ci")
    assert event.changes == {
        "owner": [None, "ops"],
        "description": [None, "Trains  at night"],
        "labels": [None, "env=prod, team=vision"],
    }


def test_unchanged_details_are_not_audited(ci: Application) -> None:
    edit(ci, description="Trains")
    number, updated_at = AuditEvent.objects.count(), Application.objects.get().updated_at
    edit(ci, owner="", description="Trains", labels={})
    assert AuditEvent.objects.count() == number
    assert Application.objects.get().updated_at == updated_at


def test_labels_are_added_and_removed_singly(ci: Application) -> None:
    edit(ci, labels={"env": "test", "team": "vision"})
    edit(ci, added={"env": "prod", "tier": "1"}, removed=["team", "unknown"])
    assert Application.objects.get().labels == {"env": "prod", "tier": "1"}


def test_all_errors_are_reported_beside_their_fields(ci: Application) -> None:
    errors = errors_of(ci, owner="nobody", description="x" * 501, labels={"env": "v" * 300})
    assert errors == {
        "owner": ["There is no user or group named “nobody”."],
        "description": ["A description must have at most 500 characters; this one has 501."],
        "labels": ["The value of a label must have at most 100 characters; that of env has 300."],
    }


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"k" * 300: "v"}, "must have at most 63 characters"),
        ({"Env": "v"}, "“Env” is not the key of a label"),
        ({"": "v"}, "“” is not the key of a label"),
        ({"env": "a\nb"}, "contains control characters"),
        ({f"key-{n}": "" for n in range(21)}, "at most 20 labels; these are 21"),
    ],
)
def test_invalid_labels_are_refused(ci: Application, labels: dict[str, str], message: str) -> None:
    [error] = errors_of(ci, labels=labels)["labels"]
    assert message in error


def test_written_label_without_equals_sign_is_refused() -> None:
    with pytest.raises(ValidationError, match="“prod” is not a label"):
        read_labels(["env=prod", "prod"])
    with pytest.raises(ValidationError, match="The label env occurs twice"):
        read_labels(["env=prod", "env=test"])
    assert read_labels(["", " env = a=b ", "empty="]) == {"env": "a=b", "empty": ""}


def test_application_and_deleted_user_cannot_own(ci: Application) -> None:
    mia = factories.person("mia@acme.example")
    retire_subjects([mia.subject], caller=SYSTEM)
    for name in ("ci", "mia@acme.example", str(ci.pk)):
        assert "owner" in errors_of(ci, owner=name)


def test_owner_type_decides_between_user_and_group(ci: Application) -> None:
    factories.person("ops@acme.example")
    group = factories.group("ops@acme.example")
    edit(ci, owner="ops@acme.example", owner_type="group")
    assert Application.objects.get().owner == group


def test_bulk_change_reports_too_many_labels_of_one_and_changes_the_others(
    ci: Application,
) -> None:
    full = factories.application("full")
    Application.objects.filter(pk=full.pk).update(labels={f"key-{n}": "" for n in range(20)})
    number = AuditEvent.objects.count()
    refusals = change_details_of_many(
        caller=SYSTEM, applications=[ci, full], change=DetailsChange(added={"env": "prod"})
    )
    assert refusals[ci.pk] is None
    assert isinstance(refusals[full.pk], Conflict)
    assert Application.objects.get(pk=ci.pk).labels == {"env": "prod"}
    assert len(Application.objects.get(pk=full.pk).labels) == 20
    assert AuditEvent.objects.count() == number + 1


def test_deleted_owner_no_longer_counts(ci: Application) -> None:
    mia = factories.person("mia@acme.example")
    own(ci, mia)
    retire_subjects([mia.subject], caller=SYSTEM)
    found = Application.objects.get()
    assert (found.living_owner, found.owner_name) == (None, None)


def test_changing_details_requires_updating_applications_on_the_account(
    ci: Application, mia: User
) -> None:
    own(ci, mia)
    with pytest.raises(Denied):
        change_details(
            caller=factories.caller(mia),
            application_id=ci.pk,
            change=DetailsChange(description="x"),
        )


# The rights of owners.


def test_owner_sees_the_application_with_read_permission_in_any_scope(
    ci: Application, mia: User
) -> None:
    caller = factories.caller(mia)
    assert not policy.visible(caller).exists()
    own(ci, mia)
    assert policy.visible_one(caller, ci.pk) == ci


def test_owner_without_read_permission_sees_nothing(ci: Application) -> None:
    noor = factories.person("noor@acme.example", "Viewer", factories.cluster("east"))
    own(ci, noor)
    with pytest.raises(Denied):
        policy.visible(factories.caller(noor))


def test_member_of_the_owning_group_owns_until_it_is_disabled(ci: Application, mia: User) -> None:
    group = factories.group("ops", mia)
    own(ci, group)
    caller = factories.caller(mia)
    assert policy.visible_one(caller, ci.pk) == ci
    assert policy.can_manage_secrets(caller, Application.objects.get())
    group.enabled = False
    group.save()
    with pytest.raises(NotFound):
        policy.visible_one(factories.caller(mia), ci.pk)


def test_owner_manages_secrets(ci: Application, mia: User) -> None:
    own(ci, mia)
    caller = factories.caller(mia)
    added = add_secret(caller=caller, application_id=ci.pk)
    revoke_secret(caller=caller, application_id=ci.pk, secret_id=added.stored.pk)
    regenerate_secret(caller=caller, application_id=ci.pk)
    assert ci.secrets.live().count() == 1


def _manages(caller: Caller, application: Application) -> bool:
    """Try each way to change secrets; return whether it worked. All must agree."""
    secret = application.secrets.live()[0].pk
    worked = set()
    for change in (
        lambda: add_secret(caller=caller, application_id=application.pk),
        lambda: revoke_secret(caller=caller, application_id=application.pk, secret_id=secret),
        lambda: regenerate_secret(caller=caller, application_id=application.pk),
    ):
        try:
            change()
        except (Denied, NotFound):
            worked.add(False)
        else:
            worked.add(True)
    (result,) = worked
    return result


def test_owner_cannot_manage_secrets_of_an_application_with_more_permissions(
    ci: Application, mia: User, acme: Organization
) -> None:
    own(ci, mia)
    factories.rule(ci, "L1 researcher", acme["batch"])
    assert not _manages(factories.caller(mia), ci)


def test_owner_without_update_permission_cannot_manage_secrets(
    ci: Application, acme: Organization
) -> None:
    factories.custom_role("Application reader", apps="r")
    rita = factories.person("rita@acme.example", "Viewer", acme["vision"])
    factories.rule(rita, "Application reader", acme["speech"])
    own(ci, rita)
    assert not _manages(factories.caller(rita), ci)


def test_other_caller_in_the_same_scope_cannot_manage_secrets(
    ci: Application, mia: User, acme: Organization
) -> None:
    factories.rule(mia, "Application manager", acme["vision"])  # now she sees it, too
    own(ci, factories.person("noor@acme.example"))
    assert not _manages(factories.caller(mia), ci)


def test_ownership_is_read_again_after_locks(ci: Application, mia: User) -> None:
    own(ci, mia)
    caller = factories.caller(mia)
    assert policy.can_manage_secrets(caller, Application.objects.get())
    Application.objects.update(owner=None)
    assert not _manages(caller, ci)


def test_disabled_owner_has_no_rights(ci: Application, mia: User) -> None:
    own(ci, mia)
    mia.subject.enabled = False
    mia.subject.save()
    with pytest.raises(Denied):
        policy.visible(factories.caller(mia))
