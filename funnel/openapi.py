"""The OpenAPI document: what each endpoint may be asked and what it answers, from the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

Method = TypeVar("Method", bound=Callable[..., Any])
Fields = serializers.Serializer[Any]


class Error(serializers.Serializer[Any]):
    error = serializers.CharField(help_text="A sentence for people.")


@dataclass(frozen=True, slots=True)
class Description:
    """What an endpoint may be asked and what it answers.

    answers: a serializer, or (media type, schema) of what is no JSON. may_miss: whether it answers
    404 to a name of nothing. path: what stands in the path of a request with a body.
    """

    params: type[Fields]
    answers: Any
    may_miss: bool
    path: type[Fields] | None = None


def described(
    params: type[Fields],
    answers: Any,
    *,
    may_miss: bool = False,
    path: type[Fields] | None = None,
) -> Callable[[Method], Method]:
    """Says of a view method what its parameters, or the fields of its body, and its answer are.

    Its docstring is the rest: the first sentence is the summary.
    """

    def decorate(method: Method) -> Method:
        method.described = Description(params, answers, may_miss, path)  # type: ignore[attr-defined]
        return method

    return decorate


class EndpointSchema(AutoSchema):
    """Reads what `described` has said."""

    @property
    def endpoint(self) -> Callable[..., Any]:
        name = getattr(self.view, "action", None) or self.method.lower()
        endpoint: Callable[..., Any] = getattr(self.view, name)
        return endpoint

    @property
    def said(self) -> Description:
        said: Description | None = getattr(self.endpoint, "described", None)
        if said is None:
            raise TypeError(f"{self.endpoint.__qualname__} is not described (funnel/openapi.py).")
        return said

    def is_excluded(self) -> bool:
        return not self.path.startswith(("/api/", "/feed/", "/health"))

    def _is_list_view(self, serializer: Any = None) -> bool:
        return isinstance(self.said.answers, serializers.ListSerializer)

    def get_summary(self) -> str:
        return self.words[0]

    def get_description(self) -> str:  # type: ignore[override]
        return self.words[1]

    @property
    def words(self) -> tuple[str, str]:
        summary, _, rest = inspect.cleandoc(self.endpoint.__doc__ or "").partition("\n\n")
        return " ".join(summary.split()).removesuffix("."), rest.strip()

    def get_auth(self) -> list[Any]:
        """A signature is asked for in every case; a token only where the server has some."""
        accepted = super().get_auth()
        return [way for way in accepted if Nip98Scheme.name in way] or accepted

    def get_tags(self) -> list[str]:
        inner = self.path.removeprefix("/api").removeprefix("/v2").strip("/")
        return [inner.partition("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        return []

    def _get_parameters(self) -> list[dict[str, Any]]:
        described = self.said.path if self.method == "POST" else self.said.params
        parameters = []
        for name, field in described().fields.items() if described else ():
            schema = self._map_serializer_field(field, "request")
            in_path = f"{{{name}}}" in self.path
            parameter = {
                "in": "path" if in_path else "query",
                "name": name,
                "description": schema.pop("description", ""),
                "required": in_path or field.required,
                "schema": schema,
            }
            parameters.append({key: value for key, value in parameter.items() if value != ""})
        return parameters

    def get_request_serializer(self) -> Any:
        return self.said.params if self.method == "POST" else None

    def get_response_serializers(self) -> Any:
        said = self.said
        if isinstance(said.answers, tuple):
            media_type, schema = said.answers
            responses: dict[Any, Any] = {(200, media_type): schema}
        else:
            responses = {200: said.answers}
        if said.params().fields:
            responses[400] = OpenApiResponse(Error, "A parameter is malformed.")
        if any(Nip98Scheme.name in way for way in self.get_auth()):
            responses[401] = OpenApiResponse(Error, "No valid signature (NIP-98).")
            responses[403] = OpenApiResponse(Error, "A valid signature of somebody else.")
        if said.may_miss:
            responses[404] = OpenApiResponse(Error, "There is no such thing, or it is not live.")
        responses[429] = OpenApiResponse(Error, "Too many requests; see `Retry-After`.")
        responses["default"] = OpenApiResponse(Error, "Any other error.")
        return responses

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: bool = False
    ) -> dict[str, Any]:
        own = getattr(field, "described_as", None)
        if own is not None:
            words = {"description": field.help_text} if field.help_text else {}
            return {**own, **words}
        schema: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)
        # An empty value is the same as none, and says so by its description.
        if schema.get("default") in ("", None):
            schema.pop("default", None)
        return schema


class Nip98Scheme(OpenApiAuthenticationExtension):
    target_class = "funnel.auth.Nip98Authentication"
    name = "nip98"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "nostr",
            "description": "A signed event of kind 27235 in base64 (NIP-98).",
        }
