from django.apps import AppConfig


class UIConfig(AppConfig):
    name = "runai_access.ui"
    label = "ui"
