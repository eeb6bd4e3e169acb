from django.apps import AppConfig


class RunaiAccessConfig(AppConfig):
    name = "runai_access"
