"""A small history on the synthetic twin, replayed once with a real service on loopback."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from carefolio.config import load_config
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from retraining.config import RetrainingSettings
from retraining.cycle import service_on_demand
from retraining.data import cut, write_published
from retraining.protocol import Protocol, load_protocol, parse_protocol
from retraining.replay import plant_fault, replay
from retraining.state import Context, State
from retraining.store import Store

SMALL = """
[data]
batches = 7
synthetic_patients = 4000
[model]
learning_rate = 0.1
min_child_samples = 40
folds = 2
max_rounds = 30
early_stopping_rounds = 5
[evaluation]
replicates = 50
drift_replicates = 20
latency_rows = 20
[serving]
smoke_rows = 4
poll_s = 0.05
patience_s = 30
"""


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that run in seconds."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def settings(small_config: Path) -> RetrainingSettings:
    """The same, read."""
    return load_config(RetrainingSettings, "retraining", file=small_config)


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """The chapter's protocol with margins that so few patients can keep, and a challenger for every batch."""
    return parse_protocol(small_protocol(), "of the tests")


def small_protocol() -> dict:
    """Give the protocol of the tests as YAML holds it."""
    content = yaml.safe_load(load_protocol().model_dump_json())
    rules = content["modification_protocol"]
    wide = {"roc_auc": (0.5, 0.0), "calibration_intercept": (9.0, 9.0), "calibration_slope": (9.0, 9.0),
            "worst_subgroup_roc_auc": (0.9, 0.0), "net_benefit": (0.5, -0.5), "drift": (0.5, 2.0), "latency_p95_ms": (1e4, 1e4),
            "size_mb": (10.0, 10.0)}
    rules["gates"] = {name: {"margin": margin, "limit": limit} for name, (margin, limit) in wide.items()}
    rules["batch"] |= {"largest_jump_psi": 0.5, "outcome_share": [0.02, 0.4]}
    rules["triggers"] |= {"batches_since_taught": 1}
    rules["approval"]["automatic"] = {"largest_reclassified": 1.0, "in_a_row": 100}
    rules["deployment"]["watch"] = {"auroc_margin": 0.2, "calibration_margin": 0.6}
    return content


@pytest.fixture(scope="session")
def strict() -> Callable[..., Protocol]:
    """Give the protocol of the tests with other rules in its verification."""
    def _strict(**changes: dict) -> Protocol:
        content = small_protocol()
        for key, value in changes.items():
            content["modification_protocol"][key] |= value
        return parse_protocol(content, "of the test")
    return _strict


@pytest.fixture(scope="session")
def delivered(settings: RetrainingSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the deliveries of the synthetic twin."""
    folder = tmp_path_factory.mktemp("delivered")
    frame = make_diabetes130_twin(settings.data.synthetic_patients, 0).sort("encounter_id")
    for batch, rows in enumerate(cut(frame, settings.data.batches), start=1):
        write_published(rows, Store(folder).delivered(batch))
    return folder / "incoming"


@pytest.fixture(scope="session")
def twin_run(settings: RetrainingSettings, protocol: Protocol, delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a replayed run; not to be altered."""
    out = tmp_path_factory.mktemp("run")
    shutil.copytree(delivered, out / "incoming")
    replay(settings, out, protocol, say=lambda words: None)
    return out


@pytest.fixture(scope="session")
def twin_state(twin_run: Path) -> State:
    """What the journal of the replayed run says."""
    from retraining.cycle import open_journal
    from retraining.replay import replay_store
    from retraining.state import fold

    return fold(open_journal(replay_store(twin_run)))


@pytest.fixture(scope="session")
def first_model(settings: RetrainingSettings, protocol: Protocol, delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that has its first model and nothing more; not to be altered."""
    from retraining.cycle import run_cycle

    folder = tmp_path_factory.mktemp("first")
    store = Store(folder, delivered)
    with service_on_demand(store, settings.serving) as service:
        done = run_cycle(Context(store, settings, protocol, service, approver=("Ada", "model owner"), say=lambda words: None))
    assert done["outcome"] == "promoted", done["reason"]
    return folder


@pytest.fixture
def context(first_model: Path, delivered: Path, settings: RetrainingSettings, protocol: Protocol, tmp_path: Path) -> Iterator[Context]:
    """A copy of that run, ready for its next cycle; the service starts when it is asked for."""
    store = Store(tmp_path / "run", tmp_path / "incoming")
    shutil.copytree(first_model, store.folder)
    shutil.copytree(delivered, store.incoming)
    with service_on_demand(store, settings.serving) as service:
        yield Context(store, settings, protocol, service, say=lambda words: None)


@pytest.fixture
def deliver(context: Context) -> Callable[[Callable[[pl.DataFrame], pl.DataFrame]], Context]:
    """Alter the delivery of batch 5, as text, and give the context that takes it in."""
    def _alter(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Context:
        path = context.store.delivered(5)
        change(pl.read_csv(path, infer_schema=False)).write_csv(path)
        return replace(context, delivery="")
    return _alter


@pytest.fixture(scope="session")
def planted(settings: RetrainingSettings, protocol: Protocol, twin_run: Path) -> Callable[[str], list[dict]]:
    """Plant a fault into the replayed run; each is planted once."""
    found: dict[str, list[dict]] = {}

    def _plant(fault: str) -> list[dict]:
        if fault not in found:
            found[fault] = plant_fault(fault, settings, twin_run, protocol, say=lambda words: None)
        return found[fault]
    return _plant
