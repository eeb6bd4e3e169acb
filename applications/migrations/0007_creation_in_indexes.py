"""The indexes of what is filtered by tell when an application was created: the usual order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0006_wider_indexes"),
        ("applications", "0006_search_text_ends"),
    ]

    operations = [
        operation
        for name, column in (
            ("application_by_update", "updated_at"),
            ("application_by_login", "last_login"),
            ("application_by_status", "is_enabled"),
        )
        for operation in (
            migrations.RemoveIndex(model_name="application", name=name),
            migrations.AddIndex(
                model_name="application",
                index=models.Index(fields=[column, "subject", "created_at"], name=name),
            ),
        )
    ]
