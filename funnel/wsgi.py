"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel.settings")

application = get_wsgi_application()
# The routes with all that they import, which the first request would wait for otherwise.
get_resolver().url_patterns  # noqa: B018
