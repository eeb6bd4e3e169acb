"""The search text's last line gets an end, so that a whole creator is found by the index."""

from django.db import migrations

_FILLED = "UPDATE applications_application SET search_text = "


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0005_search"),
    ]

    operations = [
        migrations.RunSQL(
            f"{_FILLED} search_text || '\n'",
            f"{_FILLED} substr(search_text, 1, length(search_text) - 1)",
            elidable=True,
        )
    ]
