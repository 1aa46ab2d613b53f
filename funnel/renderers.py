"""Rows to JSON bytes by orjson, whatever the request says that it accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OrjsonRenderer(BaseRenderer):
    """JSON; NaN and infinity become null, because JSON has no word for them."""

    media_type = "application/json"
    format = "json"
    # JSON is UTF-8 by definition (RFC 8259 §8.1), so the header names no charset.
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class JsonWhateverAccepted(DefaultContentNegotiation):
    """Answers JSON to every `Accept`, as RFC 9110 §12.5.1 allows.

    There is nothing else to choose from, and a 406 would only turn away crawlers and scrapers.
    It also keeps `?format=` what it is here: an unknown parameter, ignored.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
