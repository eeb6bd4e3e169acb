"""The index by action tells the result too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_indexes")]

    operations = [
        migrations.RemoveIndex(model_name="auditevent", name="audit_action_time"),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["action", "time", "result"], name="audit_action_time"),
        ),
    ]
