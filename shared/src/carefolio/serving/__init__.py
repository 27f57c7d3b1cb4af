"""A FastAPI app factory with what every model's API needs: health, keys, limits, an audit log, metrics and plain errors.

The order in which a request meets the parts: request id, timing and audit (``observability``), key or token and rate limit
(``auth``, ``limits``), body size and strict JSON (``limits``), then the route. All of them are plain ASGI callables.

Model code is CPU work: write routes as ``def``, not ``async def``. Starlette then runs them in a pool of
``ServingSettings.worker_threads`` threads, and the event loop stays free for health checks and other clients.
"""

from carefolio.serving.app import create_app
from carefolio.serving.settings import ServingSettings

__all__ = ["ServingSettings", "create_app"]
