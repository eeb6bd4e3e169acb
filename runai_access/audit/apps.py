from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "runai_access.audit"
    label = "audit"
