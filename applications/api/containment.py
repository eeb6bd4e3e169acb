"""Containing an application whose client secret leaked, recovering, and what it did before."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from applications import policy
from applications.api.resources import ReplacedSecretView
from applications.api.serializers import ApplicationSerializer, IncidentReportSerializer
from applications.containment import contain_application, replace_secret_and_enable
from applications.incident_reports import report_of


class ContainView(CallerView):
    """Containing an application."""

    tag = "Applications"
    resource = "application"

    @extend_schema(request=None, responses=ApplicationSerializer)
    def post(self, request: Request, application_id: str) -> Response:
        """Contain {a resource} whose secret leaked.

        Disables it: all its secrets and tokens stop working immediately. It keeps its access rules. It
        can't be enabled while a secret from before is live; replace the secret and enable it instead.
        """
        application = contain_application(caller=self.caller, application_id=application_id)
        return Response(ApplicationSerializer.represent(application))


class ReplaceAndEnableView(ReplacedSecretView):
    """Recovery of a contained application. Only this response contains the new secret."""

    errors = {"POST": (409,)}

    @extend_schema(request=None)
    def post(self, request: Request, application_id: str) -> Response:
        """Replace the secret of {a resource} and enable it.

        For one that is contained. Revokes all its secrets. Responds with 409 if it is not
        contained.
        """
        policy.one_for(self.caller, "update", application_id)
        return self.replace(request, application_id, replace_secret_and_enable)


class IncidentReportView(CallerView):
    """What an application did in the last 30 days."""

    tag = "Applications"
    resource = "application"

    @extend_schema(responses=IncidentReportSerializer)
    def get(self, request: Request, application_id: str) -> Response:
        """Get what {a resource} did in the last 30 days.

        Who used its secrets, what it changed, and its refused requests and sign-ins. The last two are
        null without permission to read the audit log. With a session, they require a password that was
        entered recently.
        """
        application = policy.visible_one(self.caller, application_id)
        if self.caller.authority.reads_audit_log:
            self.caller.require_recent_authentication()
        report = report_of(application, self.caller.authority)
        return Response(IncidentReportSerializer.represent(report))
