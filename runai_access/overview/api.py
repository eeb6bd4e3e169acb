"""/api/v1/overview: the Overview, an extension of the contract."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from runai_access.api.serializers import ResponseSerializer, TimeField
from runai_access.overview import report


class OverviewNumberSerializer(ResponseSerializer):
    """The number of rows of a filtered list, at least `count` unless `exact`; `url` is its page."""

    name = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField(min_value=0)
    exact = serializers.BooleanField()
    url = serializers.CharField()


class OverviewDaySerializer(ResponseSerializer):
    """The number of tokens that were issued on a day, in UTC."""

    day = serializers.DateField()
    tokens = serializers.IntegerField(source="count", min_value=0)


class OverviewFactSerializer(ResponseSerializer):
    """A fact about the audit log; `overdue` if an operator should act on it."""

    name = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    time = TimeField(allow_null=True)
    overdue = serializers.BooleanField(source="is_overdue")


class OverviewSerializer(ResponseSerializer):
    """What needs attention, the tokens issued in the last 90 days, and the state of the audit log."""

    numbers = OverviewNumberSerializer(many=True)
    tokensPerDay = OverviewDaySerializer(many=True)
    auditLog = OverviewFactSerializer(many=True)


class OverviewView(CallerView):
    """The Overview."""

    tag = "Overview"

    @extend_schema(responses=OverviewSerializer)
    def get(self, request: Request) -> Response:
        """Get the overview.

        Counts the applications, access rules and refusals that need attention. Requires permission to
        view applications, access rules, the event history and settings on the account.
        """
        self.caller.authority.require_overview()
        overview = report.read(request._request)
        return Response(OverviewSerializer.represent(overview.as_document()))
