from django.apps import AppConfig
from django.conf import settings


class RunaiAccessConfig(AppConfig):
    name = "runai_access"

    def ready(self) -> None:
        from runai_access.connections import ask_only_after_a_pause

        if not settings.IS_SQLITE:  # a file needs no asking
            ask_only_after_a_pause()
