from django.apps import AppConfig


class ScimConfig(AppConfig):
    name = "runai_access.scim"
    label = "scim"
