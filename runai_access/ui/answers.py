"""What many answers need."""

from django.http import HttpResponse


def later(response: HttpResponse, seconds: int) -> HttpResponse:
    """Say with `response` after how many seconds it is worth to try again."""
    response.headers["Retry-After"] = str(seconds)
    return response
