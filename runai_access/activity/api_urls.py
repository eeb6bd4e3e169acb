"""URL of the audit log in the API."""

from django.urls import path

from runai_access.activity.api import AuditLogView

app_name = "activity-api"
urlpatterns = [path("audit/log", AuditLogView.as_view(), name="audit-log")]
