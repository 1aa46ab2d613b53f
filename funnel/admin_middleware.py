"""What the admin's pages alone need of Django: sessions, people, messages, and forms of their own.

The API has no cookies and no forms, and its requests are many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

ADMIN = "/admin/"


class AdminMiddleware:
    """Sessions, CSRF, authentication and messages, in Django's order, for the admin's pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        chain: Any = MessageMiddleware(get_response)
        chain = AuthenticationMiddleware(chain)
        self.csrf = CsrfViewMiddleware(chain)
        self.chain: Callable[[HttpRequest], Any] = SessionMiddleware(self.csrf)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(ADMIN):
            answer: HttpResponseBase = self.chain(request)
            return answer
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if not request.path_info.startswith(ADMIN):
            return None
        return self.csrf.process_view(request, view, args, kwargs)
