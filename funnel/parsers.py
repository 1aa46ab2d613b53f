"""Bodies of requests: JSON by orjson, which refuses what no answer could repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class OrjsonParser(BaseParser):
    """JSON in UTF-8; lone surrogates, NaN and more than 1,024 levels are a 400.

    Python's own parser takes all three, and the service would fail of them later.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError("The body is not JSON.") from error
