"""The one shape of an error, `{"error": "<sentence>"}`, and what ClickHouse's failures become."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from funnel.clickhouse import (
    ClickhouseError,
    ClickhouseOverloaded,
    ClickhouseTimeout,
    ClickhouseUnavailable,
)
from funnel.renderers import OrjsonRenderer

log = structlog.get_logger(__name__)

# Long enough for a server to restart, short enough that a person still looks at the screen.
RETRY_AFTER_SECONDS = 5


class DatabaseUnavailable(APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database is not available. Try again in a few seconds."
    wait = RETRY_AFTER_SECONDS


class DatabaseOverloaded(APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database is overloaded. Try again in a few seconds."
    wait = RETRY_AFTER_SECONDS


class DatabaseTooSlow(APIException):
    status_code = HTTPStatus.GATEWAY_TIMEOUT
    default_detail = "The database took too long to answer."


class DatabaseFailed(APIException):
    status_code = HTTPStatus.INTERNAL_SERVER_ERROR
    default_detail = "The database could not answer."


# In this order, because every one is a ClickhouseError.
CLICKHOUSE_FAILURES: tuple[tuple[type[ClickhouseError], type[APIException]], ...] = (
    (ClickhouseUnavailable, DatabaseUnavailable),
    (ClickhouseOverloaded, DatabaseOverloaded),
    (ClickhouseTimeout, DatabaseTooSlow),
    (ClickhouseError, DatabaseFailed),
)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook; None leaves a bug to Django, which logs its traceback and answers 500."""
    if isinstance(exc, ClickhouseError):
        exc = database_failure(exc)
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    detail = exc.detail if isinstance(exc, APIException) else response.data["detail"]
    response.data = {"error": sentence(detail)}
    response["Cache-Control"] = "no-store"
    return response


def database_failure(failure: ClickhouseError) -> APIException:
    """What the caller hears of it; the log hears the rest."""
    answer = next(http for known, http in CLICKHOUSE_FAILURES if isinstance(failure, known))()
    log.error(
        "question_failed",
        error=type(failure).__name__,
        code=failure.code,
        # An outage is the same traceback thousands of times; anything else is a bug of ours.
        exc_info=failure if isinstance(answer, DatabaseFailed) else None,
    )
    return answer


def sentence(detail: Any, name: str = "") -> str:
    """One line out of DRF's nested details: `limit: must be a whole number. pubkeys.0: …`."""
    if isinstance(detail, Mapping):
        return " ".join(sentence(inner, inner_name(name, field)) for field, inner in detail.items())
    if isinstance(detail, list):
        return " ".join(sentence(inner, name) for inner in detail)
    return f"{name}: {detail}" if name else str(detail)


def inner_name(outer: str, field: str | int) -> str:
    """What a part of `outer` is called; what concerns several at once has no name of its own."""
    if field == "non_field_errors":
        return outer
    return f"{outer}.{field}" if outer else str(field)


def in_the_one_shape(response: HttpResponse) -> HttpResponse:
    """An error page that Django wrote, with our body; its status and other headers stay."""
    response.content = orjson.dumps({"error": f"{response.reason_phrase.capitalize()}."})
    response["Content-Type"] = OrjsonRenderer.media_type
    response["Content-Length"] = str(len(response.content))
    response["Cache-Control"] = "no-store"
    return response


def error_response(status: int, text: str) -> HttpResponse:
    """An error that is known before a view is asked."""
    return HttpResponse(
        orjson.dumps({"error": text}),
        status=status,
        content_type=OrjsonRenderer.media_type,
        headers={"Cache-Control": "no-store"},
    )
