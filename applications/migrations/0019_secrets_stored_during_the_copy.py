"""Copy the secrets that former replicas stored while 0004 copied the others; 0005 copies later ones.

A secret is left alone if the application got another one since, or if it was revoked: then nobody
expects the stored one to work.
"""

from typing import Any

from django.db import migrations

_ADD = """
INSERT INTO applications_clientsecret (
    id, application_id, secret_hash, has_old_format, label, created_by, created_at, revoked_by
)
SELECT substr(md5(gen_random_uuid()::text), 1, 12), subject_id, secret_hash, TRUE, '',
    created_by, created_at, ''
FROM applications_application application
WHERE secret_hash <> '' AND NOT EXISTS (
    SELECT 1 FROM applications_clientsecret WHERE application_id = application.subject_id
)
ON CONFLICT DO NOTHING
"""
_REPLACE = """
UPDATE applications_clientsecret secret SET secret_hash = application.secret_hash
FROM applications_application application
WHERE application.subject_id = secret.application_id AND secret.has_old_format
    AND secret.revoked_at IS NULL AND application.secret_hash NOT IN ('', secret.secret_hash)
"""


def copy_secrets(_: Any, editor: Any) -> None:
    """Add the secrets of new applications, and replace those that were regenerated."""
    if editor.connection.vendor == "postgresql":  # SQLite has no replicas
        editor.execute(_ADD, params=None)
        editor.execute(_REPLACE, params=None)


class Migration(migrations.Migration):
    brief_because = "it locks only the rows that it corrects"
    dependencies = [("applications", "0018_index_of_containment")]

    operations = [migrations.RunPython(copy_secrets, migrations.RunPython.noop)]
