"""Time one prediction over HTTP: this project's service against ``mlflow models serve`` with the same booster.

Run it with ``python projects/02-readmission-pipeline/benchmarks/latency.py`` on a machine that does nothing else.

What each number holds. Both: one client on loopback, one connection kept open, one request after another, one worker process,
request sent to response read. This project's service: key, rate limit, validation of the raw fields, features, prediction,
calibration and an audit record. MLflow's: its own parsing and signature check of one row that is already encoded, and the
prediction; no key, no features, no calibration, no audit. MLflow is timed twice: ``mlflow`` is a model whose signature names its columns,
asked with ``dataframe_split``, which is what its documentation shows for tables; ``mlflow_tensor`` is a model whose signature is a bare
array, asked with ``inputs``, which is faster and cannot notice columns in a wrong order. Quote both. All servers run at the same time
and are asked in turns, so that a disturbance meets all of them.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np

from carefolio.evidence import Metric, environment, metric
from carefolio.local_server import free_port, run_server
from carefolio.measured import write_measured
from carefolio.serving.settings import new_api_key
from readmission.api import artefacts_folder
from readmission.features import FEATURES
from readmission.one_row import build_one
from readmission.predictor import Predictor
from readmission.schemas import RETURNING, PatientStay

BLOCKS = 10
FORMS = {"mlflow": "dataframe_split", "mlflow_tensor": "inputs"}
START_S = 240.0
Ask = Callable[[], httpx.Response]


@contextmanager
def carefolio_server(artefacts: Path, folder: Path) -> Iterator[tuple[Ask, Path]]:
    """Start this project's service and give what asks it, and its audit log."""
    key, key_hash = new_api_key()
    port, audit = free_port(), folder / "audit.jsonl"
    env = {"CAREFOLIO_API_KEYS": key_hash, "CAREFOLIO_AUTH": "on", "CAREFOLIO_AUDIT_LOG": str(audit),
           "CAREFOLIO_REQUESTS_PER_MINUTE": "1000000", "CAREFOLIO_ARTEFACTS": str(artefacts)}
    command = [sys.executable, "-m", "uvicorn", "readmission.api:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port),
               "--no-access-log", "--log-level", "warning"]
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=START_S) as address, \
            httpx.Client(base_url=address, headers={"X-API-Key": key}, trust_env=False, timeout=30) as client:
        yield lambda: client.post("/predict", json=RETURNING), audit


@contextmanager
def mlflow_server(predictor: Predictor, folder: Path, *, form: str) -> Iterator[Ask]:
    """Save the booster as an MLflow model, serve it, and give what asks it with one encoded row."""
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature

    row = np.array([predictor.encode(build_one(*PatientStay.model_validate(RETURNING).columns()))])
    example: Any = pd.DataFrame(row, columns=list(FEATURES)) if form == "dataframe_split" else row
    model = folder / form
    mlflow.lightgbm.save_model(predictor.model.booster, str(model), signature=infer_signature(example, np.array([0.1])),
                               pip_requirements=["mlflow", "lightgbm"])
    content = json.dumps({form: {"columns": list(FEATURES), "data": _known(row)} if form == "dataframe_split" else _known(row)})
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local", "--workers", "1",
               "--host", "127.0.0.1", "--port", str(port)]
    env = {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/ping", env=env, timeout_s=START_S) as address, \
            httpx.Client(base_url=address, headers={"Content-Type": "application/json"}, trust_env=False, timeout=30) as client:
        yield lambda: client.post("/invocations", content=content)


def _known(row: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(value) else value for value in values] for values in row.tolist()]


def time_requests(asks: dict[str, Ask], *, requests: int, warm_up: int) -> dict[str, np.ndarray]:
    """Ask every server in turns and give the round trips in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in asks}
    for ask in asks.values():
        for _ in range(warm_up):
            ask().raise_for_status()
    for _ in range(BLOCKS):
        for name, ask in asks.items():
            times[name] += [_milliseconds(ask) for _ in range(requests // BLOCKS)]
    return {name: np.array(values) for name, values in times.items()}


def _milliseconds(ask: Ask) -> float:
    response = ask()
    response.raise_for_status()
    return response.elapsed.total_seconds() * 1000


def check_answers(asks: dict[str, Ask], predictor: Predictor) -> None:
    """Refuse to compare servers that do not run the same model."""
    stay = PatientStay.model_validate(RETURNING).columns()
    risk = predictor.predict([stay])[0]
    probability = float(predictor.model.booster.predict(np.array([predictor.encode(build_one(*stay))]))[0])
    for name, ask in asks.items():
        answer = ask().json()
        got, expected = (answer["risk"], risk) if name == "carefolio" else (answer["predictions"][0], probability)
        if abs(got - expected) > 1e-6:
            raise RuntimeError(f"{name} answers {got}, expected {expected}; the servers do not run the same model.")


def inside_times(audit: Path, *, requests: int) -> np.ndarray:
    """Read from the audit log how long the service itself took, in milliseconds, for the last requests."""
    records = [json.loads(line) for line in audit.read_text(encoding="utf-8").splitlines()]
    return np.array([record["duration_ms"] for record in records if record["route"] == "/predict"][-requests:])


def summarise(times: dict[str, np.ndarray], inside: np.ndarray) -> dict[str, Metric]:
    """Turn times into metrics under their evidence ids."""
    rows = {f"{name}.latency": values for name, values in times.items()} | {"carefolio.service_time": inside}
    found = {f"serving.local.{name}_p{q}_ms": metric(round(float(np.percentile(values, q)), 3), n=len(values), higher_is_better=False)
             for name, values in rows.items() for q in (50, 95)}
    for name in FORMS:
        ratio = float(np.median(times[name]) / np.median(times["carefolio"]))
        found[f"serving.local.carefolio_over_{name}.speed_ratio"] = metric(round(ratio, 2), n=len(times[name]), higher_is_better=True)
    return found


@click.command()
@click.option("--artefacts", type=click.Path(file_okay=False, path_type=Path), help="Folder of the model; the committed one by default.")
@click.option("--requests", default=1000, show_default=True, help="Timed requests to each server.")
@click.option("--warm-up", default=100, show_default=True, help="Requests before them.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the metrics here.")
def main(artefacts: Path | None, requests: int, warm_up: int, path: Path | None) -> None:
    """Compare the latency of this project's service with that of ``mlflow models serve``."""
    artefacts = (artefacts or artefacts_folder()).resolve()
    predictor = Predictor.load(artefacts)
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        ours, audit = stack.enter_context(carefolio_server(artefacts, folder))
        asks = {"carefolio": ours}
        asks |= {name: stack.enter_context(mlflow_server(predictor, folder, form=form)) for name, form in FORMS.items()}
        check_answers(asks, predictor)
        times = time_requests(asks, requests=requests, warm_up=warm_up)
        inside = inside_times(audit, requests=len(times["carefolio"]))
    machine = environment([]).machine
    for server, values in (times | {"carefolio, inside the service": inside}).items():
        print(f"{server:32} p50 {np.percentile(values, 50):7.2f} ms   p95 {np.percentile(values, 95):7.2f} ms   n {len(values)}")
    metrics = summarise(times, inside)
    for name in FORMS:
        print(f"{name} / carefolio, ratio of p50s: {metrics[f'serving.local.carefolio_over_{name}.speed_ratio'].value}")
    print(machine)
    if path:
        command = f"python projects/02-readmission-pipeline/benchmarks/latency.py --requests {requests} --warm-up {warm_up}"
        write_measured(path, metrics, command=command)


if __name__ == "__main__":
    main()
