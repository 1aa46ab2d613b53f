"""The least that Django can answer with: settings, one route and one view, no middleware.

BARE_BYTES: how many bytes the answer has.
"""

from __future__ import annotations

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path

SECRET_KEY = "bench"  # noqa: S105 - signs nothing
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.bare_site"
USE_TZ = True
BODY = b"x" * int(os.environ.get("BARE_BYTES", "0"))


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY, content_type="application/json")


urlpatterns = [path("bare", view)]
