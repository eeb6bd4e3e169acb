from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "runai_access.activity"
    label = "activity"
