from django.apps import AppConfig
from django.conf import settings


class RunaiAccessConfig(AppConfig):
    name = "runai_access"

    def ready(self) -> None:
        from runai_access.connections import ask_only_after_a_pause, suit_short_queries

        if not settings.IS_SQLITE:  # a file needs no asking, and no telling
            ask_only_after_a_pause()
            suit_short_queries()
