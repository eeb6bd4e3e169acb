from django.apps import AppConfig
from django.core.checks import register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class ApplicationsConfig(AppConfig):
    name = "applications"

    def ready(self) -> None:
        from accessrules.console.tables.subject_links import register_subject_page
        from accessrules.filters.search import register_finder
        from accessrules.models import Subject
        from applications import checks, triggers
        from applications.search import keys_of_name, register_with_sqlite

        register_subject_page(Subject.Type.APP, "applications:detail")
        register_finder(Subject.Type.APP, keys_of_name)
        connection_created.connect(register_with_sqlite, dispatch_uid="search.sqlite")
        register(checks.check_sqlite)
        pre_migrate.connect(triggers.before_migrating, sender=self, dispatch_uid="triggers.before")
        post_migrate.connect(triggers.after_migrating, sender=self, dispatch_uid="triggers.after")
