"""Table preferences of users."""

from django.conf import settings
from django.db import models
from django.db.models import Q, Value


class TablePreference(models.Model):
    """A user's columns with their widths, page size and row height of one table."""

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", "Comfortable"
        COMPACT = "compact", "Compact"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    table = models.CharField(max_length=40)
    # Names of the shown columns, in order; empty for the default columns of the table.
    columns = models.JSONField(default=list)
    # In pixels, by column; a column without a width is as wide as its content.
    widths = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    page_size = models.PositiveSmallIntegerField(default=20)
    density = models.CharField(max_length=12, choices=Density.choices, default=Density.COMFORTABLE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "table"], name="table_preference_unique"),
            models.CheckConstraint(
                condition=Q(page_size__in=[20, 50, 100]), name="table_preference_page_size_known"
            ),
            models.CheckConstraint(
                condition=Q(density__in=["comfortable", "compact"]),
                name="table_preference_density_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} for {self.user}"
