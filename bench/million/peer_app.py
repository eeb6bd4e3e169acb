"""What is different where the peers are served."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from runai_access.connections import set_plans


class PeersConfig(AppConfig):
    name = "bench.million"

    def ready(self) -> None:
        """Leave PostgreSQL as peers find it: ours is told what suits our queries, not theirs."""
        connection_created.disconnect(set_plans)
