import asyncio
import json
import socket
import threading
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import APIRouter

from carefolio.serving.limits import RateLimiter, json_fault, read_body

PATIENT = {"age_years": 70, "sex": "female"}
OFF = {"auth": "off", "host": "127.0.0.1", "api_key_hashes": frozenset()}


def test_bucket_empties_and_fills_at_its_rate():
    now = [0.0]
    limiter = RateLimiter(per_minute=60, clients=10, clock=lambda: now[0])
    assert [limiter.take("a") for _ in range(60)] == [0.0] * 60
    assert limiter.take("a") == pytest.approx(1.0)
    now[0] = 0.75
    assert limiter.take("a") == pytest.approx(0.25)
    now[0] = 1.0
    assert limiter.take("a") == 0.0
    assert limiter.take("a") > 0


def test_clients_have_buckets_of_their_own():
    limiter = RateLimiter(per_minute=1, clients=10, clock=lambda: 0.0)
    assert limiter.take("a") == 0.0
    assert limiter.take("a") > 0
    assert limiter.take("b") == 0.0


def test_bucket_never_holds_more_than_a_minute():
    now = [0.0]
    limiter = RateLimiter(per_minute=2, clients=10, clock=lambda: now[0])
    limiter.take("a")
    now[0] = 86_400.0
    assert [limiter.take("a") == 0.0 for _ in range(3)] == [True, True, False]


def test_memory_for_clients_is_bounded_and_the_busy_one_is_kept():
    limiter = RateLimiter(per_minute=1, clients=50, clock=lambda: 0.0)
    limiter.take("busy")
    for number in range(5000):
        limiter.take(str(number))
        assert limiter.take("busy") > 0
    assert len(limiter) == 50


def test_rate_limit_answers_429_with_retry_after(make_app, call):
    app = make_app(requests_per_minute=2)
    answers = [call(app, "GET", "/v1/patients/7/risk") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "30"
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert call(app, "GET", "/health/live").status_code == 200


def test_guessing_keys_is_limited_by_address(make_app, call):
    app = make_app(requests_per_minute=2)
    statuses = [call(app, "GET", "/v1/patients/7/risk", headers={"X-API-Key": f"guess {number}"}).status_code for number in range(4)]
    assert statuses == [401, 401, 429, 429]
    assert call(app, "GET", "/v1/patients/7/risk").status_code == 200


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'[Infinity]', b'[-Infinity]', b'[1e999]', b'[-1e999]'])
def test_numbers_that_json_does_not_have_are_422(body):
    assert json_fault(body)[0] == 422


@pytest.mark.parametrize("body", [b"{", b'{"a": 1,}', b"\xff", b'"\xff"', b"\xef\xbb\xbf{}", b"[" * 5000, b"[" * 5000 + b"]" * 5000, b"1 2",
                                  b'{"a" 1}'])
def test_text_that_is_not_json_is_400(body):
    assert json_fault(body)[0] == 400


@pytest.mark.parametrize("value", [{"name": "NaN"}, [1.5, None], "Infinity", {"a": {"b": [True]}}])
def test_strict_json_passes(value):
    assert json_fault(json.dumps(value).encode()) is None


def test_reading_stops_at_the_limit_without_waiting_for_the_rest():
    taken = []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    with pytest.raises(OverflowError):
        asyncio.run(read_body(receive, limit_bytes=25))
    assert len(taken) == 3


def test_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(make_app, call):
    body = json.dumps({"patients": [PATIENT]}).encode()
    headers = {"Content-Type": "application/json"}
    for limit, expected in ((len(body), 200), (len(body) - 1, 413)):
        assert call(make_app(body_limit_bytes=limit, **OFF), "POST", "/v1/predict", content=body, headers=headers).status_code == expected


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_get_413_over_a_socket(make_app, serve, chunked):
    address = serve(make_app(**OFF))
    body = b"[" + b"1," * 5_000_000 + b"1]"
    content = (body[start:start + 65_536] for start in range(0, len(body), 65_536)) if chunked else body
    with httpx.Client() as session:
        answer = session.post(f"{address}/v1/predict", content=content, headers={"Content-Type": "application/json"})
        again = session.get(f"{address}/health/live")
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("The body is larger than 1048576 bytes")
    assert again.status_code == 200


def test_ten_megabytes_without_a_key_get_their_401_over_a_socket(make_app, serve):
    assert httpx.post(f"{serve(make_app())}/v1/predict", content=b"1" * 10_000_000).status_code == 401


def test_slow_body_gets_408_and_the_connection_is_closed(make_app, serve):
    address = urlsplit(serve(make_app(body_timeout_s=0.3, **OFF)))
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 100\r\n\r\n{")
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in received


def test_probe_answers_while_every_worker_thread_computes(make_app, serve):
    entered, release = threading.Semaphore(0), threading.Event()
    router = APIRouter()

    @router.get("/busy")
    def busy() -> dict[str, bool]:
        entered.release()
        return {"done": release.wait(timeout=20)}

    address = serve(make_app({"routers": [router], "examples": {}}, worker_threads=2, **OFF))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(httpx.get(f"{address}/busy", timeout=30))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert all(entered.acquire(timeout=20) for _ in range(2))
    probes = [httpx.get(f"{address}{path}", timeout=10).status_code for path in ("/health/live", "/health/ready")]
    third_started = entered.acquire(blocking=False)
    release.set()
    for thread in threads:
        thread.join(timeout=20)
    assert probes == [200, 200]
    assert not third_started
    assert [answer.json() for answer in answers] == [{"done": True}] * 3


@pytest.mark.parametrize(("place", "count", "fault"), [("{}", 1000, False), ("{}", 1001, True), ('[{{"rows": [{}]}}]', 1001, True),
                                                       ('{{"a": {}}}', 1001, True), ('[{}]', 1000, False)])
def test_an_object_of_very_many_members_is_refused_before_each_is_an_error(place, count, fault):
    wide = json.dumps({f"key{number}": number for number in range(count)})
    body = place.replace("{{", "{").replace("}}", "}").replace("{}", wide).encode() if "{{" in place else place.replace("{}", wide).encode()
    found = json_fault(body)
    assert (found is not None and found[0] == 422 and "more than 1000 members" in found[1]) == fault
    assert json_fault(b"[" + b"1," * 50_000 + b"1]") is None, "a long list is for the route to judge"
