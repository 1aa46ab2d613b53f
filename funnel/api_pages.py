"""`GET /api/openapi.yaml` and `GET /api/docs`: the API described for programs and for people."""

from __future__ import annotations

import functools

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.views import APIView


@functools.cache
def document() -> bytes:
    """The document in YAML; the same for as long as the process runs."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    rendered: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})
    return rendered


class DocumentView(APIView):
    """`GET /api/openapi.yaml`: open also where the API is closed, since it holds no data."""

    is_open = True
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(
            document(),
            content_type="application/yaml",
            headers={"Cache-Control": "public, max-age=3600"},
        )


class SwaggerView(SpectacularSwaggerSplitView):
    """`GET /api/docs`: a page to read the document and to try the endpoints."""

    is_open = True
    url_name = "openapi"
    template_name = "api_docs.html"
    title = "Funnel"
