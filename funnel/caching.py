"""How long an answer may be kept, by us and by every cache: one decorator for view methods."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from prometheus_client import Counter
from rest_framework.request import Request
from rest_framework.response import Response

from funnel import clock
from funnel.kept_answers import STALE_IF_ERROR_SECONDS, Answer, kept_answers
from funnel.openapi import described
from funnel.params import Params, shared
from funnel.renderers import OrjsonRenderer

# How late an event may be in a list, in a number that people watch, and on the page of who has
# just published: clients expect to see that within 30 seconds.
LIST_SECONDS: int = settings.CACHE_LIST_SECONDS
STATS_SECONDS: int = settings.CACHE_STATS_SECONDS
AUTHOR_SECONDS: int = min(LIST_SECONDS, 10)

NOT_MODIFIED = Counter(
    "api_not_modified_total", "Answers of status 304: the client had the same already."
)

KEPT_METHODS = ("GET", "HEAD")

# A method of a viewset: (self, request, **what stands in the path).
Method = TypeVar("Method", bound=Callable[..., HttpResponseBase])
GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]


def cached(
    params: type[Params],
    answers: Any,
    *,
    seconds: int,
    may_miss: bool = False,
    varies_by: Callable[[HttpRequest], str] = lambda _: "",
) -> Callable[[Method], Method]:
    """Lets every cache keep the answer of a view method, keeps it here, and describes it.

    params: what the request may ask, all that the answer may depend on; the validated values are
    the key, so that neither their order nor what nobody knows makes another one. answers, may_miss:
    as in funnel/openapi.py.
    varies_by: what else of the request it depends on, of the headers that `target_of` has. What the
    method raises is not kept, and says `no-store` by itself.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def answer(self: object, request: Request, /, **path: str) -> HttpResponseBase:
            values = params.of(request, **path)
            if unknown := path.keys() - shared(params).fields.keys():
                raise TypeError(f"{params.__name__} has no {', '.join(sorted(unknown))}.")
            variant = varies_by(request._request)

            def compute() -> Answer:
                now = clock.now()
                return rendered(method(self, request, **path), now=now, seconds=seconds)

            kept = kept_answers()
            if kept is None:
                return shown(compute(), request)
            key = key_of(method.__qualname__, variant, values)
            kept.remember(target_of(request), key)
            return shown(kept.answer(key, compute), request)

        return cast(Method, described(params, answers, may_miss=may_miss)(answer))

    return decorate


def key_of(name: str, variant: str, values: dict[str, Any]) -> str:
    """The same for two requests that ask for the same, and for no others."""
    written = orjson.dumps([name, variant, values], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(written, digest_size=16).hexdigest()


def target_of(request: HttpRequest | Request) -> tuple[object, ...]:
    """The request as it was written: all that an answer can depend on, and more."""
    meta = request.META
    return (
        request.path_info,
        meta["QUERY_STRING"],
        request.scheme,
        meta.get("HTTP_HOST", ""),
        "HTTP_ORIGIN" in meta,
    )


def rendered(response: HttpResponseBase, *, now: int, seconds: int) -> Answer:
    """The answer in `response`, which is not rendered yet or no Response of DRF."""
    if response.status_code != 200 or not isinstance(response, HttpResponse):
        raise TypeError("Only whole answers of status 200 are kept; an error is raised.")
    if isinstance(response, Response):
        body = OrjsonRenderer().render(response.data)
        response.headers["Content-Type"] = OrjsonRenderer.media_type
    else:
        body = response.content
    # Of the bytes, and not of a version of the data: time alone changes scores and what is shown.
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    return Answer(body, dict(response.items()), etag, computed_at=now, seconds=seconds)


def shown(answer: Answer, request: HttpRequest | Request) -> HttpResponse:
    """The answer to one request: 304 and no body where the client has the same."""
    wanted = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    # A proxy that compresses makes the tag weak; for this comparison that is no matter.
    if "*" in wanted or answer.etag in {tag.removeprefix("W/") for tag in wanted}:
        NOT_MODIFIED.inc()
        response = HttpResponse(status=304)
        del response["Content-Type"]
        if "Vary" in answer.headers:
            response["Vary"] = answer.headers["Vary"]
    else:
        response = HttpResponse(answer.body, headers=answer.headers)
    response["ETag"] = answer.etag
    response["Cache-Control"] = cache_control(answer, clock.now())
    return response


def cache_control(answer: Answer, now: int) -> str:
    """How long from now anybody may keep it, so that nobody shows it longer than was promised."""
    left = max(1, answer.seconds - answer.age(now))
    return (
        f"public, max-age={left}, stale-while-revalidate={answer.seconds}, "
        f"stale-if-error={STALE_IF_ERROR_SECONDS}"
    )


class KeptAnswersFirst:
    """Answers a request that was asked before in the same words, before its view is entered.

    In `process_view`, so that whoever may not ask has been refused already.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Django reads the query in the charset of the body, which whoever sends none may name too:
        # then a URL would ask for something else, and all caches show the next one its answer.
        if request.encoding and request.method in KEPT_METHODS:
            request.encoding = settings.DEFAULT_CHARSET
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        kept = kept_answers()
        if kept is None or request.method not in KEPT_METHODS:
            return None
        answer = kept.fresh(target_of(request), clock.now())
        return shown(answer, request) if answer else None
