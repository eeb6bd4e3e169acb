"""During an upgrade, replicas of the previous release and of this one accept the same secrets."""

from importlib import import_module

import pytest
from django.db import connection

from accessrules.authorization.callers import SYSTEM
from applications.actions.secrets import add_secret, regenerate_secret, revoke_secret
from applications.models import Application
from applications.oauth.secret_verification import authenticate
from runai_access.security.hashing import hash_secret
from tests import factories
from tests.domain.conftest import is_authenticated

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no replicas"),
]
# Secrets of the format before 0.2.0.
ONE = "ras_000000000000000000000000000000000000000000028qgWc"
OTHER = "ras_111111111111111111111111111111111111111111130PBtQ"


def previous_release_stores(application: Application, secret: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE applications_application SET secret_hash = %s WHERE subject_id = %s",
            [hash_secret(secret), application.pk],
        )


def secret_hash_of(application: Application) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT secret_hash FROM applications_application WHERE subject_id = %s",
            [application.pk],
        )
        return str(cursor.fetchone()[0])


@pytest.fixture
def nightly() -> Application:
    """An application whose secret a replica of the previous release has created."""
    application = factories.application("nightly")
    application.secrets.all().delete()
    previous_release_stores(application, ONE)
    return application


def test_a_secret_that_the_previous_release_created_works(nightly: Application) -> None:
    assert is_authenticated(nightly, ONE)
    assert nightly.secrets.get().has_old_format


def test_a_secret_that_the_previous_release_regenerated_replaces_all_others(
    nightly: Application,
) -> None:
    added = add_secret(caller=SYSTEM, application_id=nightly.pk)
    previous_release_stores(nightly, OTHER)
    assert is_authenticated(nightly, OTHER)
    assert authenticate("nightly", ONE) is None
    assert authenticate("nightly", added.secret) is None


def test_writing_the_same_secret_again_keeps_it(nightly: Application) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE applications_application SET secret_hash = secret_hash")
    assert is_authenticated(nightly, ONE)


def test_a_revoked_secret_stops_working_on_the_previous_release(nightly: Application) -> None:
    assert secret_hash_of(nightly)
    secret = nightly.secrets.get()
    revoke_secret(caller=SYSTEM, application_id=nightly.pk, secret_id=secret.pk)
    assert secret_hash_of(nightly) == ""


def test_a_replaced_secret_stops_working_on_the_previous_release(nightly: Application) -> None:
    regenerate_secret(caller=SYSTEM, application_id=nightly.pk)
    assert secret_hash_of(nightly) == ""
    assert authenticate("nightly", ONE) is None


def stored_during_the_copy(application: Application, secret: str) -> None:
    """Store a secret as the previous release did before the triggers existed."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        previous_release_stores(application, secret)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_secrets_that_were_stored_during_the_copy_work(nightly: Application) -> None:
    created, replaced = factories.application("created"), factories.application("replaced")
    for application in (created, replaced):
        application.secrets.all().delete()
        stored_during_the_copy(application, ONE)
    added = add_secret(caller=SYSTEM, application_id=replaced.pk)
    stored_during_the_copy(nightly, OTHER)
    migration = import_module("applications.migrations.0019_secrets_stored_during_the_copy")
    with connection.schema_editor() as editor:
        migration.copy_secrets(None, editor)
    assert is_authenticated(created, ONE)
    assert is_authenticated(nightly, OTHER)
    assert authenticate("nightly", ONE) is None
    assert is_authenticated(replaced, added.secret)
    assert authenticate("replaced", ONE) is None
