"""What makes the images and the stack holds together: descriptions, Dockerfile, compositions, proxy, dashboards; no engine is needed."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from carefolio.chapters import read_chapters
from carefolio.testing import requires_command

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
SERVICES = sorted(path.stem for path in (DOCKER / "services").glob("*.toml"))
SECRETS = {"CAREFOLIO_API_KEYS": "x", "MLFLOW_DATABASE_PASSWORD": "x", "GRAFANA_PASSWORD": "x"}
COMPOSITION = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


def load(name: str) -> ModuleType:
    """Load a program of the build, which no package holds."""
    specification = importlib.util.spec_from_file_location(f"docker_{name}", DOCKER / f"{name}.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


service = load("service")


def test_the_dockerfile_hardens_the_image():
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    final = text[text.rindex("FROM "):]
    assert final.startswith("FROM scratch"), "no shell, no package manager"
    assert re.search(r"^USER 65532:65532$", final, re.MULTILINE)
    assert 'HEALTHCHECK' in final
    assert '["/python", "-m", "container_scaling.health"]' in final, "without a shell"
    for label in ("org.opencontainers.image.revision", "org.carefolio.evidence.sha256"):
        assert label in final
    assert "RUN" not in final
    assert text.count("FROM ${BASE}") == 2
    assert "# syntax" not in text
    assert not re.search(r"--mount=type=secret,(?!.*required=false)", text), "a build needs no secret"


@pytest.mark.parametrize("name", SERVICES)
def test_a_description_names_what_exists(name):
    found = service.read_service(name, ROOT)
    assert set(found) == set(service.DEFAULTS) | {"run"}
    assert [path for path in found["files"] if not (ROOT / path).exists()] == []
    assert set(found["run"]) in ({"app"}, {"module", "arguments"})
    own = {tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"] for path in ROOT.glob("*/**/pyproject.toml")
           if "node_modules" not in path.parts and ".venv" not in path.parts}
    assert set(found["own"]) <= own
    assert not {service.bare_name(line) for line in found["requirements"]} & own, "own packages come from this commit, never from an index"


def test_every_chapter_with_an_api_has_a_description_or_makes_one():
    for chapter in read_chapters(ROOT):
        if chapter.home and (chapter.home / "src" / chapter.package / "api.py").is_file():
            found = service.read_service(chapter.folder, ROOT)
            assert found["run"] == {"app": f"{chapter.package}.api:create_app"}
            folders = service.own_folders([*found["requirements"], *found["own"]], ROOT)
            assert "./shared" in folders
            assert f"./projects/{chapter.folder}" in folders


def test_an_unknown_project_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"neither docker/services/nothing\.toml nor projects/nothing"):
        service.read_service("nothing", tmp_path)


def test_what_pip_reads_is_written(tmp_path):
    service.describe(service.read_service("02-readmission-pipeline", ROOT), ROOT, tmp_path)
    assert (tmp_path / "folders.txt").read_text().split() == ["./projects/02-readmission-pipeline", "./projects/07-container-scaling",
    "./shared"]
    assert "carefolio" in (tmp_path / "own.txt").read_text()


def test_an_image_is_not_labelled_with_other_evidence(tmp_path):
    (tmp_path / "site").mkdir()
    found = service.read_service("02-readmission-pipeline", ROOT)
    with pytest.raises(SystemExit, match="but the evidence in the build context has"):
        service.furnish(found, ROOT, tmp_path, evidence="0" * 64)


def test_packages_are_slimmed_to_what_is_named(tmp_path):
    site = tmp_path / "app" / "site"
    for name in ("big/__init__.py", "big/kept/a.py", "big/dropped/b.py", "big/kept/tests/c.py", "libs/lib-1.so", "bin/tool"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("x", encoding="utf-8")
    service.slim(site, service.DEFAULTS | {"keep": {"big": ["__init__.py", "ke*"], "libs": []}, "libraries": {"lib.so": "libs/lib-*"}})
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["app/site/big/__init__.py", "app/site/big/kept/a.py", "usr/lib/lib.so"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="shared libraries of this system are not ELF files")
def test_a_library_without_symbols_still_loads(tmp_path):
    import pydantic_core

    source = next(Path(pydantic_core.__path__[0]).glob("_pydantic_core*.so"))
    path = tmp_path / source.name
    shutil.copyfile(source, path)
    service.drop_symbols(path)
    assert path.stat().st_size <= source.stat().st_size
    code = ("import importlib.util, sys; s = importlib.util.spec_from_file_location('pydantic_core._pydantic_core', sys.argv[1]); "
            "m = importlib.util.module_from_spec(s); s.loader.exec_module(m); print(m.__version__)")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == pydantic_core.__version__, done.stderr
    with pytest.raises(SystemExit, match="no 64-bit ELF file"):
        service.drop_symbols(DOCKER / "Dockerfile")


def test_the_readmission_service_needs_only_what_its_image_has():
    absent = ["matplotlib", "numba", "optuna", "imblearn", "sklearn", "pyarrow", "streamlit", "joblib", "numexpr", "psutil", "pandera",
    "scipy.stats",
              "scipy.linalg", "scipy.special", "scipy.optimize"]
    code = ("import sys, json\nfor name in json.loads(sys.argv[1]): sys.modules[name] = None\n"
            "from fastapi.testclient import TestClient\nfrom readmission.api import create_app\nfrom readmission.schemas import EXAMPLES\n"
            "client = TestClient(create_app(), base_url='http://127.0.0.1')\n"
            "print([client.post(path, json=body).status_code for path, bodies in EXAMPLES.items() for body in bodies.values()])\n"
            "print([client.get(path).status_code for path in ('/health/ready', '/metrics', '/model-card', '/openapi.json')])\n")
    environment = {**os.environ, "CAREFOLIO_AUTH": "off", "CAREFOLIO_HOST": "127.0.0.1", "CAREFOLIO_HOME": str(ROOT)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, json.dumps(absent)], capture_output=True, text=True, check=False,
                          env=environment)
    assert done.stdout.splitlines() == ["[200, 200, 200, 200, 200]", "[200, 200, 200, 200]"], done.stderr[-2000:]


def test_the_build_context_holds_no_data_and_no_secret():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*", "nothing is sent unless it is named"
    assert not [line for line in lines if line.startswith("!") and re.search(r"outputs|\.git|\.env|\.venv|mlruns", line)]


@pytest.mark.parametrize("name", [name for name in COMPOSITION["services"] if name not in ("database", "grafana")])
def test_services_of_the_stack_are_hardened(name):
    found = COMPOSITION["services"][name]
    assert found["read_only"] is True
    assert found["user"] == "65532:65532"
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert any(line.startswith("/tmp") for line in found["tmpfs"])


def test_the_stack_is_for_this_machine_only_and_holds_no_secret():
    services = COMPOSITION["services"]
    assert set(services) == {"api", "proxy", "database", "mlflow", "prometheus", "grafana", "hub"}
    published = [port for found in services.values() for port in found.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    assert "ports" not in services["api"], "replicas are reached through the proxy"
    for found in services.values():
        for variable, value in found.get("environment", {}).items():
            if re.search("PASSWORD|API_KEYS", variable):
                assert value.startswith("${"), f"{variable} is written out"


def test_the_stack_starts_in_the_order_of_health():
    waits = {name: found.get("depends_on", {}) for name, found in COMPOSITION["services"].items()}
    assert waits["proxy"] == {"api": {"condition": "service_healthy"}}
    assert waits["mlflow"] == {"database": {"condition": "service_healthy"}}
    assert waits["prometheus"] == {"api": {"condition": "service_healthy"}}
    assert "healthcheck" in COMPOSITION["services"]["database"]


@requires_command("docker-compose")
@pytest.mark.parametrize("file", ["compose.yaml"])
def test_compose_itself_reads_the_composition(file):
    done = subprocess.run(["docker-compose", "--file", str(DOCKER / file), "config", "--quiet"], capture_output=True, text=True,
    check=False,
                          env={**os.environ, **SECRETS})
    assert done.returncode == 0, done.stderr
    none = subprocess.run(["docker-compose", "--file", str(DOCKER / file), "config", "--quiet"], capture_output=True, text=True,
    check=False,
                          env={name: value for name, value in os.environ.items() if name not in SECRETS})
    assert none.returncode != 0, "without secrets it must not start"
    assert "scaling stack up" in none.stderr


@requires_command("haproxy")
def test_haproxy_itself_reads_its_configuration():
    done = subprocess.run(["haproxy", "-c", "-f", str(DOCKER / "haproxy" / "haproxy.cfg")], capture_output=True, text=True, check=False,
                          env={**os.environ, "API_NAME": "api"})
    assert done.returncode == 0, done.stderr


def test_the_proxy_repeats_only_what_changes_nothing():
    text = (DOCKER / "haproxy" / "haproxy.cfg").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "disable-l7-retry" in line)
    paths = set(re.findall(r"(/[\w/-]+)", line))
    assert paths == {"/predict", "/predict/batch", "/explain", "/model-card"}


def exposed_names() -> set[str]:
    """Names that a service exposes, with those of the proxy that are used."""
    from fastapi import APIRouter
    from prometheus_client import generate_latest

    from carefolio.serving import ServingSettings, create_app
    from container_scaling.admission import BoundedQueue

    app = create_app(title="t", version="1", description="d", routers=[APIRouter()], ready=lambda: None,
                     settings=ServingSettings(auth="off", host="127.0.0.1"))
    BoundedQueue(app, limit=1, registry=app.state.metrics.registry)
    described = re.findall(r"^# TYPE (\S+)", generate_latest(app.state.metrics.registry).decode(), re.MULTILINE)
    return set(described) | {f"{name}_bucket" for name in described} | {"up", "haproxy_backend_current_queue"}


def test_dashboard_and_rules_ask_for_metrics_that_exist():
    rules = yaml.safe_load((DOCKER / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    board = json.loads((DOCKER / "grafana" / "dashboards" / "readmission.json").read_text(encoding="utf-8"))
    recorded = {rule["record"] for rule in rules if "record" in rule}
    known = exposed_names() | recorded
    asked = [rule["expr"] for rule in rules] + [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for expression in asked:
        names = set(re.findall(r"\b(?:carefolio|process|haproxy)[a-z_]*(?::[a-z0-9_]+)*", re.sub(r'"[^"]*"', "", expression)))
        assert names <= known, expression
    provisioned = yaml.safe_load((DOCKER / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {provisioned["datasources"][0]["uid"]}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
