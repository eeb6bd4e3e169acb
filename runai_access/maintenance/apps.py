from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    name = "runai_access.maintenance"
    label = "maintenance"
