"""Add owner, description and labels to applications."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Value


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0001_access_rules"),
        ("applications", "0008_secret_uses"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="owned_applications",
                to="accessrules.subject",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="description",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.AddField(
            model_name="application",
            name="labels",
            field=models.JSONField(
                blank=True, db_default=Value({}, models.JSONField()), default=dict
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="searched_details",
            field=models.TextField(db_default="", default="", editable=False),
        ),
        migrations.AddField(
            model_name="application",
            name="owner_name",
            field=models.TextField(editable=False, null=True),
        ),
    ]
