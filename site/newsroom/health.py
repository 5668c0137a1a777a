"""Whether this process can serve: for whoever starts it again when it cannot."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def health_view(request: HttpRequest) -> HttpResponse:
    """200 while the database answers, else 503; whether workers run is told by the metrics."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer", "text/plain", status=503)
    return HttpResponse("ok", "text/plain")
