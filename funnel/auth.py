"""Who may ask: tokens that close the API, and NIP-98 for what concerns one person alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.encoding import escape_uri_path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from funnel import clock
from funnel.errors import RETRY_AFTER_SECONDS, error_response
from funnel.models import UsedProof
from funnel.nip98 import REPLAY_SECONDS, InvalidProof, proof_of
from funnel.params import PubkeyField

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

# The same data by another format is not left open beside a closed API.
CLOSED = ("/api/", "/feed/")


# --- Tokens --------------------------------------------------------------------------------------


class ApiToken:
    """Lets requests to the API pass with one of `API_TOKEN` only; without tokens, all.

    A middleware and not an authentication class, so that no view can forget it and no cache of
    ours answers before it. A proof by NIP-98 takes the same header; it passes to the views that
    check it themselves and to no other.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.API_TOKENS and request.path_info.startswith(CLOSED):
            make_private(response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object
    ) -> HttpResponse | None:
        if not settings.API_TOKENS or not request.path_info.startswith(CLOSED):
            return None
        scheme, credentials = authorization(request)
        cls = getattr(view, "cls", object)
        if getattr(cls, "is_open", False):
            return None
        if scheme == "nostr" and issubclass(cls, PersonalViewSet):
            return None
        if scheme == "bearer" and is_one_of(credentials, settings.API_TOKENS):
            return None
        answer = error_response(401, "Send a token of this server: Authorization: Bearer <token>.")
        answer["WWW-Authenticate"] = "Bearer"
        return answer


def authorization(request: HttpRequest | Request) -> tuple[str, str]:
    """The scheme of the Authorization header in lower case, and what follows it."""
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower(), credentials.strip()


def is_one_of(token: str, tokens: Sequence[str]) -> bool:
    """In a time that tells neither how much of a token was right, nor of which, nor its length."""
    shown = digest(token)
    return sum(hmac.compare_digest(shown, digest(known)) for known in tokens) > 0


def digest(token: str) -> bytes:
    # What WSGI could not decode stands in it as surrogates.
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def make_private(response: HttpResponseBase) -> None:
    """Keeps an answer out of caches that others are served from; the asker may keep it."""
    kept = response.get("Cache-Control", "")
    if "no-store" not in kept:
        response["Cache-Control"] = kept.replace("public", "private", 1) or "private"
    patch_vary_headers(response, ["Authorization"])


# --- NIP-98 --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever has just proved that a pubkey is theirs."""

    pubkey: str
    is_authenticated: bool = True


class CannotTellReplays(APIException):
    """Without its memory the server would take a signature twice."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "Signatures cannot be checked now. Try again in a few seconds."
    wait = RETRY_AFTER_SECONDS


class Nip98Authentication(BaseAuthentication):
    """`request.user` is the Person that the header `Authorization: Nostr <event>` proves."""

    def authenticate(self, request: Request) -> tuple[Person, None] | None:
        scheme, token = authorization(request)
        if scheme != "nostr":
            return None
        if not settings.PUBLIC_URL:
            raise AuthenticationFailed("This server has no PUBLIC_URL to check a signature against")
        now = clock.now()
        try:
            proof = proof_of(
                token,
                url=public_url(request),
                method=str(request.method),
                body=request.body,
                now=now,
            )
        except InvalidProof as error:
            raise AuthenticationFailed(f"NIP-98: {error}.") from error
        # Last, so that nobody but its signer can use an event up.
        try:
            is_new = first_use(proof.id, now=now)
        except (DatabaseError, InterfaceError) as error:
            raise CannotTellReplays from error
        if not is_new:
            raise AuthenticationFailed("NIP-98: the event was used before.")
        return Person(proof.pubkey), None

    def authenticate_header(self, request: Request) -> str:
        # With it DRF answers 401 and not 403 to a request that proves nobody.
        return "Nostr"


def first_use(event_id: str, *, now: int) -> bool:
    """Whether no worker has seen the event before; raises Django's DatabaseError.

    In Django's database, which all workers have, while Redis is there for some only.
    """
    UsedProof.objects.filter(used_at__lt=now - REPLAY_SECONDS).delete()
    _, is_new = UsedProof.objects.get_or_create(event_id=event_id, defaults={"used_at": now})
    return is_new


def public_url(request: Request) -> str:
    """The absolute URL that the client asked for.

    Its host comes from the settings, since the Host header is the client's word; its query is as
    it was sent, since a signature is over these bytes.
    """
    query = request.META["QUERY_STRING"]
    path = escape_uri_path(request.path)
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}{'?' if query else ''}{query}"


class IsThatPerson(BasePermission):
    """Only who is named in the path may ask."""

    message = "This is for the owner of the pubkey alone."

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        pubkey = PubkeyField().run_validation(view.kwargs["pubkey"])
        return isinstance(user, Person) and user.pubkey == pubkey


class PersonalViewSet(ViewSet):
    """Answers below `users/{pubkey}/` for the person with that pubkey alone (NIP-98).

    401 without a valid proof, 403 with somebody else's; no cache keeps an answer.
    """

    authentication_classes = (Nip98Authentication,)
    permission_classes = (IsThatPerson,)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Authorization"])
        return response
