from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "runai_access.audit"
    label = "audit"

    def ready(self) -> None:
        from runai_access.audit.guards import after_migrating

        post_migrate.connect(after_migrating, sender=self)
