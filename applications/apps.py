from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate, pre_migrate


class ApplicationsConfig(AppConfig):
    name = "applications"

    def ready(self) -> None:
        from accessrules.models import Subject
        from accessrules.search import register_finder
        from accessrules.subject_pages import register_subject_page
        from applications import upkeep
        from applications.search import keys_of_name

        register_subject_page(Subject.Type.APP, "applications:detail")
        register_finder(Subject.Type.APP, keys_of_name)
        register(upkeep.check_sqlite)
        pre_migrate.connect(upkeep.before_migrating, sender=self, dispatch_uid="upkeep.before")
        post_migrate.connect(upkeep.after_migrating, sender=self, dispatch_uid="upkeep.after")
