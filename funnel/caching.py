"""How long an answer may be kept: one decorator for view methods."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from rest_framework.response import Response

# An event is allowed to be this late in a list, and half as late in a number that people watch.
LIST_SECONDS = 60
STATS_SECONDS = 30

View = TypeVar("View")
P = ParamSpec("P")


def cached(
    *, seconds: int
) -> Callable[[Callable[Concatenate[View, P], Response]], Callable[Concatenate[View, P], Response]]:
    """Lets any cache keep the answer; an error is no answer and says `no-store` by itself."""

    def decorate(
        method: Callable[Concatenate[View, P], Response],
    ) -> Callable[Concatenate[View, P], Response]:
        @wraps(method)
        def answer(self: View, /, *args: P.args, **kwargs: P.kwargs) -> Response:
            response = method(self, *args, **kwargs)
            response["Cache-Control"] = f"public, max-age={seconds}"
            return response

        return answer

    return decorate
