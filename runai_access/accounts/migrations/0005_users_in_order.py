"""The indexes by which the list of users is sorted by email and by display name."""

from django.db import migrations, models
from django.db.models import F

from runai_access.db.expressions import BinaryCollation
from runai_access.db.migrations import AddIndexWithoutBlocking


def _index(field: str, name: str) -> AddIndexWithoutBlocking:
    index = models.Index(BinaryCollation(F(field)), F("subject"), name=name)
    return AddIndexWithoutBlocking(model_name="user", index=index)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0004_single_sign_on")]

    operations = [
        _index("email", "user_by_email"),
        _index("display_name", "user_by_display_name"),
    ]
