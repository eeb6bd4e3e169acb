from django.apps import AppConfig


class APIConfig(AppConfig):
    name = "runai_access.api"
    label = "api"
