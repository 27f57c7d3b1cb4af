"""The bounded queue: what is let in is answered, what is not is told at once, and the count always comes back to zero."""

import asyncio
import json

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from carefolio.serving.headers import SECURITY_HEADERS
from container_scaling.admission import BoundedQueue


def queue(app, limit: int = 2) -> tuple[BoundedQueue, CollectorRegistry]:
    registry = CollectorRegistry()
    return BoundedQueue(app, limit=limit, registry=registry), registry


async def answer_at_once(scope, receive, send):
    """A route that runs on the event loop without ever waiting: a plain counter would never see two of them."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes"})


async def ask_together(app, count: int, path: str = "/predict") -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await asyncio.gather(*(client.post(path, json={}) for _ in range(count)))


def test_requests_that_arrive_together_are_counted_before_the_first_is_answered():
    guarded, registry = queue(answer_at_once, limit=3)
    answers = asyncio.run(ask_together(guarded, 10))
    assert [answer.status_code for answer in answers].count(200) == 3
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 7
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].headers["content-type"].startswith("application/problem+json")
    assert {name: refused[0].headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS, "it stands before the app that adds them"
    assert "nothing was done" in json.loads(refused[0].content)["detail"]
    assert b"carefolio_refused_requests_total 7.0" in generate_latest(registry)
    assert guarded.waiting == 0


def test_probes_are_always_let_in():
    guarded, _ = queue(answer_at_once, limit=1)
    assert {answer.status_code for answer in asyncio.run(ask_together(guarded, 5, "/health/ready"))} == {200}


def test_a_route_that_fails_or_is_cancelled_gives_its_place_back():
    async def fail(scope, receive, send):
        raise RuntimeError("planted")

    guarded, _ = queue(fail, limit=1)
    with pytest.raises(RuntimeError, match="planted"):
        asyncio.run(ask_together(guarded, 1))
    assert guarded.waiting == 0

    async def never(scope, receive, send):
        await asyncio.sleep(60)

    async def cancel() -> int:
        slow, _ = queue(never, limit=1)
        task = asyncio.create_task(slow({"type": "http", "path": "/predict"}, None, None))
        await asyncio.sleep(0.01)
        during = slow.waiting
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return during - slow.waiting

    assert asyncio.run(cancel()) == 1


def test_what_is_no_request_passes_through():
    seen = []

    async def note(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(queue(note)[0]({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
