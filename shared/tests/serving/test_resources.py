from contextlib import asynccontextmanager

import httpx


def test_resources_are_open_while_the_app_serves(make_app, serve, api_key):
    seen = []

    @asynccontextmanager
    async def resources(app):
        seen.append("open")
        yield
        seen.append("closed")

    address = serve(make_app({"resources": resources}))
    assert httpx.get(f"{address}/health/live", trust_env=False).status_code == 200
    assert seen == ["open"]
