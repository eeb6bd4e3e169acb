from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessRulesConfig(AppConfig):
    name = "accessrules"

    def ready(self) -> None:
        from accessrules.authorization.predefined import load

        post_migrate.connect(load, sender=self, dispatch_uid="accessrules.authorization.predefined")
