"""What every request passes: its id and its log line, CORS, and the one shape of errors."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeAlias

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from whitenoise.middleware import WhiteNoiseMiddleware

from funnel import metrics
from funnel.errors import error_response, in_the_one_shape
from funnel.renderers import OrjsonRenderer

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

log = structlog.get_logger(__name__)

# Anything else could forge a line in somebody's log.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def route_of(request: HttpRequest) -> ResolverMatch | None:
    """Where a request would have gone that was answered before: one too many, or a preflight."""
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


class RequestLog:
    """Takes over the caller's `X-Request-ID` or gives one; logs and counts each request.

    The line names the route, never the path or the query: those carry what a person typed.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Not `headers`, which writes the names of all of them anew.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id, endpoint=""):
            response = self.get_response(request)
            seconds = time.perf_counter() - started
            match = request.resolver_match or route_of(request)
            metrics.count_request(request, match, response.status_code, seconds)
            log.info(
                "request_answered",
                method=request.method,
                route=match.route if match else None,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )
        response["X-Request-ID"] = request_id
        return response

    def process_view(self, request: HttpRequest, *view: object) -> None:
        # Not known before: a middleware is entered before the route is looked up.
        structlog.contextvars.bind_contextvars(endpoint=metrics.endpoint(request.resolver_match))

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        metrics.count_exception(request.resolver_match, exception)


class Cors:
    """Lets a page of any origin read the public answers (Fetch standard, "CORS protocol").

    There are no cookies to protect, so the answer is the same for every origin and needs no `Vary`.
    """

    PUBLIC = ("/api/", "/feed/", "/health")
    HEADERS: ClassVar = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After, X-Request-ID, X-Total-Count",
    }
    PREFLIGHT_HEADERS: ClassVar = {
        "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
        "Access-Control-Allow-Headers": (
            "Accept, Authorization, Content-Type, X-Divine-Platform, X-Request-ID"
        ),
        # Browsers cap it themselves (Chromium at two hours).
        "Access-Control-Max-Age": "86400",
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.PUBLIC):
            return self.get_response(request)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers=self.HEADERS | self.PREFLIGHT_HEADERS)
        response = self.get_response(request)
        for name, value in self.HEADERS.items():
            response[name] = value
        return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves the admin's scripts and styles, so that no proxy has to know where they are."""

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        # What `collectstatic` has gathered is looked at only where somebody has run it.
        if Path(root).is_dir():
            super().add_files(root, prefix)


class BodyLimit:
    """Answers 413 to a body that is too large, before anybody reads it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A body without a length is none to WSGI.
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        # More digits than any length has are not counted, however many zeros are among them.
        if not length.isdecimal() or len(length) > 20 or int(length) > limit:
            return error_response(413, f"The body is too large (max {limit:,} bytes).")
        return self.get_response(request)


class PageSecurity:
    """Says of HTML pages that they are made of what this service serves, and framed by nobody.

    JSON is not run by any browser, and `nosniff` keeps it so: it has nothing to say of frames, and
    of what a page sends or opens. A proxy reads each header of an answer that it keeps every time.
    """

    HEADERS: ClassVar = {
        "Content-Security-Policy": (
            "default-src 'self'; "
            # Style sheets of Swagger's page and of the admin have icons in them.
            "img-src 'self' data:; "
            "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            for name, value in self.HEADERS.items():
                response.setdefault(name, value)
        return response


class JsonErrors:
    """Turns the error pages that Django writes by itself into JSON, outside the admin.

    A middleware and not `handler404` and its kin, because those are not asked under DEBUG, for a
    refused Host or for a failed CSRF check.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (
            response.status_code < 400
            or request.path_info.startswith("/admin/")
            or response.get("Content-Type") == OrjsonRenderer.media_type
            or not isinstance(response, HttpResponse)
        ):
            return response
        return in_the_one_shape(response)
