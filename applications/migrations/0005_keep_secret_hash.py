"""Keep the column of the single secret for replicas of the previous release, which run during an upgrade.

No model has it any more. On PostgreSQL, triggers copy a secret that such a replica creates to the table
of client secrets, and clear the column when its secret is revoked, so that every replica accepts the
same secrets. The release after this one drops the column and the triggers. SQLite has no replicas.
"""

from typing import Any

from django.db import migrations, models

_CREATE = """
CREATE FUNCTION application_copy_secret_hash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'UPDATE' AND NEW.secret_hash = OLD.secret_hash THEN
        RETURN NULL;
    END IF;
    DELETE FROM applications_clientsecret
        WHERE application_id = NEW.subject_id AND has_old_format;
    UPDATE applications_clientsecret SET revoked_at = clock_timestamp()
        WHERE application_id = NEW.subject_id AND revoked_at IS NULL;
    INSERT INTO applications_clientsecret (
        id, application_id, secret_hash, has_old_format, label, created_by, created_at, revoked_by
    ) VALUES (
        substr(md5(gen_random_uuid()::text), 1, 12), NEW.subject_id, NEW.secret_hash, TRUE, '',
        NEW.created_by, clock_timestamp(), ''
    );
    RETURN NULL;
END $$;
CREATE TRIGGER application_copy_secret_hash
    AFTER INSERT OR UPDATE OF secret_hash ON applications_application
    FOR EACH ROW WHEN (NEW.secret_hash <> '') EXECUTE FUNCTION application_copy_secret_hash();

CREATE FUNCTION application_clear_secret_hash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' OR NEW.revoked_at IS NOT NULL THEN
        UPDATE applications_application SET secret_hash = ''
            WHERE subject_id = OLD.application_id AND secret_hash = OLD.secret_hash;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER application_clear_secret_hash
    AFTER UPDATE OF revoked_at OR DELETE ON applications_clientsecret
    FOR EACH ROW WHEN (OLD.has_old_format) EXECUTE FUNCTION application_clear_secret_hash();
"""
_DROP = """
DROP FUNCTION application_copy_secret_hash() CASCADE;
DROP FUNCTION application_clear_secret_hash() CASCADE;
"""


def create_triggers(_: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(_CREATE, params=None)


def drop_triggers(_: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(_DROP, params=None)


class Migration(migrations.Migration):
    brief_because = "it changes only the catalog"
    dependencies = [("applications", "0004_copy_client_secrets")]

    operations = [
        # New rows are created without it.
        migrations.AlterField(
            model_name="application",
            name="secret_hash",
            field=models.CharField(blank=True, db_default="", max_length=128),
        ),
        migrations.RunPython(create_triggers, drop_triggers),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="application", name="application_secret_only_as_argon2id"
                ),
                migrations.RemoveField(model_name="application", name="secret_hash"),
            ]
        ),
    ]
