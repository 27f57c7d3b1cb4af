"""The OpenAPI document as a page that can be tried in the browser; its scripts come from this machine, so that it needs no network."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

DOCS_PATH = "/docs"
DOCS_POLICY = ("default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; "
               "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'")
_FILES = f"{DOCS_PATH}/files"


def add_docs(app: FastAPI) -> None:
    """Add the page at ``/docs``, with Swagger UI as a package carries it.

    Parameters
    ----------
    app : FastAPI
        Serves its document at ``/openapi.json``.
    """
    app.mount(_FILES, StaticFiles(packages=[("fastapi_offline", "static")]), name="docs")

    @app.get(DOCS_PATH, include_in_schema=False)
    def _docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="/openapi.json", title=f"{app.title}: try it", swagger_favicon_url=f"{_FILES}/favicon.png",
                                   swagger_js_url=f"{_FILES}/swagger-ui-bundle.js", swagger_css_url=f"{_FILES}/swagger-ui.css")
