from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created


class RunaiAccessConfig(AppConfig):
    name = "runai_access"

    def ready(self) -> None:
        from runai_access.db.connections import skip_recent_health_checks
        from runai_access.db.normalization_sql import register_with_sqlite

        connection_created.connect(register_with_sqlite, dispatch_uid="normalization.sqlite")
        if not settings.IS_SQLITE:  # a file needs no health check
            skip_recent_health_checks()
