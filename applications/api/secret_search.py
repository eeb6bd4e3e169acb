"""Which client secrets a text contains. The text is in no response, URL or log."""

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from applications import policy
from applications.secret_search import MAX_LENGTH, Status, search_secrets
from runai_access.api.fields import Body, Text
from runai_access.api.serializers import ResponseSerializer


class SearchedText(Body):
    """A text that could contain client secrets."""

    text = Text(max_length=MAX_LENGTH)


class FoundSecretSerializer(ResponseSerializer):
    """A text that looks like a client secret, by its public ID. Some have no visible application."""

    secretId = serializers.CharField(source="id")
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    explanation = serializers.CharField()
    applicationId = serializers.UUIDField(source="application_id", required=False)
    applicationName = serializers.CharField(source="application_name", required=False)


class SecretSearchSerializer(ResponseSerializer):
    """The client secrets in a text, and the number of further ones, which were not checked."""

    found = FoundSecretSerializer(many=True)
    skipped = serializers.IntegerField()


class FindSecretsView(CallerView):
    """Finding client secrets in a text."""

    tag = "Applications"

    @extend_schema(request=SearchedText, responses=SecretSearchSerializer)
    @sensitive_variables("body")
    def post(self, request: Request) -> Response:
        """Find client secrets in a text.

        Says for up to ten of them which service account they are of, and whether they are live. Those
        of service accounts that are not visible to the caller are `unknown`. The text is neither stored
        nor logged. At most 20 searches a minute.
        """
        policy.require_anywhere(self.caller, "read")
        body = SearchedText(data=request.data)
        body.is_valid(raise_exception=True)
        search = search_secrets(caller=self.caller, text=body.validated_data["text"])
        return Response(SecretSearchSerializer.represent(search))
