from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    name = "applications"

    def ready(self) -> None:
        from accessrules.models import Subject
        from accessrules.subject_pages import register_subject_page

        register_subject_page(Subject.Type.APP, "applications:detail")
