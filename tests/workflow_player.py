"""Plays workflows on this machine: act runs the jobs and their scripts, in a clone of the repository as it lies here.

Every `run:` script is executed as it stands, with GitHub's expressions, conditions, matrices and outputs evaluated by act. What stands in:
the actions that talk to GitHub's own services (composite actions of a few lines, below), `gh attestation verify` (there is no Sigstore
here; it looks into what the attest action was given), and GitHub's API, which `workflow_services` serves on loopback. The environment of
the clone is the one in which the tests run; its stamps are younger than any file, so that no played `make` installs anything into it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
REPOSITORY = "example/carefolio"
PLAYING = "CAREFOLIO_PLAYING"
"""Set in what is played, so that a play inside a play is an error."""
FUTURE = 4102444800  # 2100-01-01

STAND_INS = {
    "actions/setup-python": "true",
    "actions/cache": "true",
    "actions/upload-artifact": """
      shopt -s nullglob globstar
      mkdir -p "$PLAYED/artifacts/$NAME"
      found=()
      while read -r pattern; do found+=($pattern); done <<< "$FILES"
      for file in "${found[@]}"; do
        if [[ ! -e $file ]]; then continue; fi
        if [[ ${#found[@]} -eq 1 && -d $file ]]; then cp -r "$file/." "$PLAYED/artifacts/$NAME"; continue; fi
        if [[ ${#found[@]} -eq 1 ]]; then cp "$file" "$PLAYED/artifacts/$NAME"; else cp -r --parents "$file" "$PLAYED/artifacts/$NAME"; fi
      done
      [[ $MISSING != error || -n $(ls -A "$PLAYED/artifacts/$NAME") ]]""",
    "actions/download-artifact": 'mkdir -p "$FILES"; cp -r "$PLAYED/artifacts/$NAME/." "$FILES"',
    "actions/attest": """
      [[ $DIGEST =~ ^sha256:[0-9a-f]{64}$ && -n $SUBJECT ]]
      if [[ -n $SBOM ]]; then test -s "$SBOM"; fi
      echo "oci://$SUBJECT@$DIGEST" >> "$PLAYED/attested" """,
}
GH = """#!/usr/bin/env bash
set -euo pipefail
echo "$*" >> "$PLAYED/gh"
if [[ "$1 $2" == "attestation verify" ]]; then
  grep -qxF "$3" "$PLAYED/attested" || { echo "no attestation for $3" >&2; exit 1; }
  exit 0
fi
http_proxy="$PLAYED_API" GH_HOST=github.localhost exec /usr/bin/gh "$@"
"""


def steps_of(path: Path) -> list[tuple[str, str]]:
    """List the scripts of a workflow or a composite action as (job, name or first line)."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = table.get("jobs") or {"": table["runs"]}
    return [(name, step_name(step)) for name, job in jobs.items() for step in job.get("steps", []) if "run" in step]


def step_name(step: Mapping[str, Any]) -> str:
    """Name a step as act's record does: by its name, else by its script."""
    return str(step.get("name") or step["run"].strip()).splitlines()[0]


@dataclass(frozen=True)
class Play:
    """What became of a play: exit status, the scripts that were executed as (workflow, job, step, succeeded), and everything printed."""

    status: int
    steps: list[tuple[str, str, str, bool]]
    output: str
    summary: str

    def missing(self, path: Path) -> list[str]:
        """List the scripts of a workflow, or of a composite action, that were not executed with success."""
        fine = {(file, job, step) for file, job, step, success in self.steps if success}
        if path.name == "action.yml":
            return [step for _, step in steps_of(path) if step not in {name for _, _, name in fine}]
        return [f"{job}: {step}" for job, step in steps_of(path) if (path.name, job, step) not in fine]

    def failed(self) -> list[str]:
        """Name the steps that failed."""
        return [step for _, _, step, fine in self.steps if not fine]

    def said(self) -> str:
        """Give what the failed steps printed, for the message of a failed test."""
        lines = [line for line in self.output.splitlines() if any(f"| {step}" in line for step in self.failed())]
        return "\n".join(lines)[-5000:] or self.output[-2000:]


@dataclass(frozen=True)
class Stage:
    """A clone to play in, the repository it pushes to, and a folder for what the stand-ins keep."""

    clone: Path
    origin: Path
    played: Path
    python: Path
    act: str
    variables: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        """Run git in the clone."""
        return git(self.clone, *arguments)

    def change(self, path: str, old: str, new: str) -> None:
        """Change a file of the clone and commit it."""
        file = self.clone / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold what is to be replaced"
        file.write_text(text.replace(old, new), encoding="utf-8")
        self.git("commit", "--quiet", "--all", "--message", f"Change {path}")

    def environment(self) -> dict[str, str]:
        """Give the variables of whatever is played here."""
        sources = [path.relative_to(self.clone).as_posix() for path in sorted(self.clone.glob("projects/*/src"))] + ["shared/src"]
        own = {"PLAYED": str(self.played), "PLAYED_API": "http://127.0.0.1:9", PLAYING: "1", "PYTHONPATH": os.pathsep.join(sources),
               "DOCKER_CONFIG": str(self.played / "docker"), "XDG_CACHE_HOME": str(self.played / "cache"), "VIRTUAL_ENV": "",
               "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"), "MAKEFLAGS": f" -- VENV={self.played / 'venv'}", "GIT_TERMINAL_PROMPT": "0"}
        path = os.pathsep.join([str(self.played / "bin"), str(self.python.parent), os.environ["PATH"]])
        return {**os.environ, **own, "PATH": path, **self.variables}

    def play(self, workflow: str, event: str, payload: Mapping[str, Any] | None = None, *, job: str = "", timeout_s: int = 600,
             **options: Mapping[str, str]) -> Play:
        """Play a workflow with act; ``options`` are its ``secret`` and ``var`` values."""
        assert PLAYING not in os.environ, "a play inside a play"
        event_file = self.played / "event.json"
        event_file.write_text(json.dumps(payload or {}), encoding="utf-8")
        environment = self.environment()
        self._nothing_is_to_be_installed(environment)
        own = {key: value for key, value in environment.items() if key != "PATH" and os.environ.get(key) != value}
        command = [self.act, event, "--workflows", f".github/workflows/{workflow}", "--eventpath", str(event_file), "--json",
                   "--platform", "ubuntu-latest=-self-hosted", "--use-gitignore=false", "--concurrent-jobs", "1", "--defaultbranch", "main"]
        command += ["--job", job] if job else []
        command += [part for name, place in self._actions() for part in ("--local-repository", f"{name}={place}")]
        command += [part for kind, table in {"env": own, **options}.items() for key, value in table.items()
                    for part in (f"--{kind}", f"{key}{':' if kind == 'matrix' else '='}{value}")]
        done = subprocess.run(command, cwd=self.clone, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)
        return _read_log(done, workflow)

    def _nothing_is_to_be_installed(self, environment: Mapping[str, str]) -> None:
        command = ["make", "--dry-run", "setup"]
        done = subprocess.run(command, cwd=self.clone, env=dict(environment), capture_output=True, text=True, check=True)
        assert "install" not in done.stdout, f"make would install into the environment of the tests: {done.stdout}"

    def _actions(self) -> Iterator[tuple[str, Path]]:
        files = [*sorted((self.clone / ".github").glob("workflows/*.yml")), *sorted((self.clone / ".github").glob("actions/*/action.yml"))]
        used = {line.split("uses:")[1].split("#")[0].strip() for file in files
                for line in file.read_text(encoding="utf-8").splitlines() if line.strip().removeprefix("- ").startswith("uses:")}
        for name in sorted(used):
            if not name.startswith("./"):
                yield name, self.played / "actions" / name.partition("@")[0].replace("/", "-")


def _read_log(done: subprocess.CompletedProcess[str], workflow: str) -> Play:
    names = {yaml.safe_load(path.read_text(encoding="utf-8"))["name"]: path.name for path in WORKFLOWS}
    steps, output, summary = [], [], []
    for line in done.stdout.splitlines() + done.stderr.splitlines():
        record = json.loads(line) if line.startswith("{") else {"msg": line}
        output.append(f"[{record.get('job', '')} | {record.get('step', '')}] {record['msg']}")
        if record.get("stepResult") in ("success", "failure") and record.get("stage") == "Main":
            caller = next((names[part] for part in reversed(record["job"].split("/")[:-1]) if part in names), workflow)
            steps.append((caller, record["jobID"], _name_in(record["msg"]), record["stepResult"] == "success"))
        if record.get("command") == "summary":
            summary.append(record.get("content") or record["msg"])
    return Play(done.returncode, steps, "\n".join(output), "\n".join(summary))


def _name_in(told: str) -> str:
    """Take a step's name out of what act says of its end; its record names a composite action in place of the steps within."""
    return re.sub(r" \[[^\[\]]*\]$", "", told.partition(" - Main ")[2]).strip().splitlines()[0]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; the test fails on its error."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_stage(folder: Path, python: Path) -> Stage:
    """Clone the repository as it lies here, uncommitted files included, with a bare one to push to."""
    clone, origin, played = folder / "clone", folder / "origin.git", folder / "played"
    git(folder, "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(clone))
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in sorted(set(listed) - {""}):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    git(clone, "update-ref", "refs/heads/main", git(ROOT, "rev-parse", "HEAD"))
    git(clone, "symbolic-ref", "HEAD", "refs/heads/main")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "As it lies here")
    git(folder, "clone", "--quiet", "--bare", str(clone), str(origin))
    git(clone, "remote", "set-url", "origin", f"https://github.com/{REPOSITORY}.git")
    git(clone, "remote", "set-url", "--push", "origin", str(origin))
    _borrow_environment(clone, played)
    _write_stand_ins(played)
    return Stage(clone, origin, played, python, str(Path(sys.executable).with_name("act")))


def _borrow_environment(clone: Path, played: Path) -> None:
    """Lend the environment of the tests to the clone, and to `make` one whose stamps say that nothing is to be installed."""
    environment = Path(sys.prefix)
    for place in (clone / ".venv", played / "venv"):
        place.mkdir(parents=True)
        for name in ("bin", "lib", "lib64", "include", "share", "pyvenv.cfg"):
            if (environment / name).exists():
                (place / name).symlink_to(environment / name)
        for stamp in (".created", ".runtime", ".testing"):
            (place / stamp).touch()
            os.utime(place / stamp, (FUTURE, FUTURE))
    if (ROOT / "node_modules").is_dir():
        (clone / "node_modules").symlink_to(ROOT / "node_modules")


def _write_stand_ins(played: Path) -> None:
    inputs = {"NAME": "name", "FILES": "path", "MISSING": "if-no-files-found", "SUBJECT": "subject-name", "DIGEST": "subject-digest",
              "SBOM": "sbom-path"}
    for name, script in STAND_INS.items():
        folder = played / "actions" / name.replace("/", "-")
        folder.mkdir(parents=True)
        step = {"shell": "bash", "run": script, "env": {key: f"${{{{ inputs.{value} }}}}" for key, value in inputs.items()}}
        action = {"name": name, "inputs": {value: {"default": ""} for value in inputs.values()},
                  "runs": {"using": "composite", "steps": [step]}}
        (folder / "action.yml").write_text(yaml.safe_dump(action), encoding="utf-8")
    (played / "actions" / "actions-checkout").mkdir()
    (played / "bin").mkdir()
    (played / "bin" / "gh").write_text(GH, encoding="utf-8")
    (played / "bin" / "gh").chmod(0o755)
    if Path("/usr/bin/docker").exists():
        (played / "bin" / "docker").symlink_to("/usr/bin/docker")
