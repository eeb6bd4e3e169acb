"""The identifiers of users and groups at the identity provider."""

from django.db import models

from accessrules.models import Subject

EXTERNAL_ID_MAX_LENGTH = 255


class ExternalId(models.Model):
    """The SCIM attribute `externalId` of a user or group: its identifier at the identity provider."""

    subject = models.OneToOneField(
        Subject, models.CASCADE, primary_key=True, related_name="external_id"
    )
    value = models.CharField(max_length=EXTERNAL_ID_MAX_LENGTH)

    class Meta:
        indexes = [models.Index(fields=["value"], name="external_id_by_value")]

    def __str__(self) -> str:
        return self.value
