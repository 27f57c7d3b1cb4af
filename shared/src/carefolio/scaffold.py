"""A new chapter from templates: a small example that runs and keeps every convention, to be replaced piece by piece.

The templates stand in ``chapter_template``, laid out as a chapter is; each ``@@word@@`` in them is replaced.
"""

import keyword
import re
import shutil
import tempfile
import textwrap
from collections.abc import Collection, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from carefolio import markdown
from carefolio.artefacts import write_text
from carefolio.chapters import Chapter, read_chapters
from carefolio.exceptions import ConfigError

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
LONGEST = {"NAME": 30, "--question": 100, "--activity": 60}
"""Characters; longer ones would not fit into the lines of the templates."""
PACKAGE_LISTS = 4
"""Lists in the root ``pyproject.toml`` that name every chapter: of coverage one, of the import rules three."""
_TEMPLATES, _SUFFIX = "chapter_template", ".tmpl"
_LIST = re.compile(r"^(?P<key>\w+) = \[(?P<body>[^\]#]*)\]", re.MULTILINE)
_LINE_LENGTH = 160
_UNSAFE = re.compile(r"""["\\{}<>`@]""")


def new_chapter(root: Path, name: str, *, question: str = "", activity: str = "") -> Chapter:
    """Make a chapter and add it to the repository's tool settings: all of it or nothing.

    Parameters
    ----------
    root : Path
        The repository.
    name : str
        Lower-case words joined by hyphens; also the command.
    question : str, optional
        What the chapter asks, in a sentence.
    activity : str, optional
        What it is about, in a few words; the name in words by default.

    Returns
    -------
    Chapter
        What was made.

    Raises
    ------
    ConfigError
        If the name or a text does not fit, the place is taken, or the tool settings do not list the chapters.
    """
    chapter = plan_chapter(root, name, question=question, activity=activity)
    home, settings = root / "projects" / chapter.folder, root / "pyproject.toml"
    if not settings.is_file():
        raise ConfigError(f"{settings} is missing; expected the repository's tool settings. Restore it from version control.")
    known = {known.package for known in read_chapters(root) if known.home}
    listed = list_package(settings.read_text(encoding="utf-8"), chapter.package, known)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=home.parent) as temporary:
        made = Path(temporary) / chapter.folder
        for path, text in render_chapter(chapter).items():
            write_text(made / path, text)
        if home.exists():
            raise ConfigError(f"{home} exists; nothing was written. Move it away or choose another name.")
        made.rename(home)
    try:
        write_text(settings, listed)
    except BaseException:
        shutil.rmtree(home)
        raise
    return chapter


def plan_chapter(root: Path, name: str, *, question: str = "", activity: str = "") -> Chapter:
    """Work out what a new chapter is called; nothing is written.

    Parameters
    ----------
    root : Path
        The repository.
    name, question, activity : str
        As `new_chapter` takes them.

    Returns
    -------
    Chapter
        With the lowest number that is free.

    Raises
    ------
    ConfigError
        If the name or a text does not fit.
    """
    _check_name(root, name)
    words = name.replace("-", " ")
    activity = activity or words.capitalize()
    question = question or f"State the question of {words} here, in one sentence."
    for option, text in (("--question", question), ("--activity", activity)):
        _check_text(option, text)
    taken = {chapter.folder[:2] for chapter in read_chapters(root)} | {path.name[:2] for path in (root / "projects").iterdir()}
    number = next((f"{number:02d}" for number in range(1, 100) if f"{number:02d}" not in taken), None)
    if number is None:
        raise ConfigError(f"{root / 'projects'} has no two-digit number left for {name!r}; remove a chapter first.")
    folder = f"{number}-{name}"
    return Chapter(folder=folder, package=name.replace("-", "_"), command=name, activity=activity, question=question,
                   home=root / "projects" / folder, in_the_making=True)


def _check_name(root: Path, name: str) -> None:
    package = name.replace("-", "_")
    if not NAME.fullmatch(name) or len(name) > LONGEST["NAME"]:
        raise ConfigError(f"a chapter's name is made of lower-case words joined by hyphens, at most {LONGEST['NAME']} characters, such as "
                          f"sepsis-alerts; got {name!r}. Choose another.")
    for chapter in read_chapters(root):
        if name in (chapter.command, chapter.folder[3:]) or package == chapter.package:
            raise ConfigError(f"{name!r} is taken by {chapter.folder} (package {chapter.package}, command {chapter.command}); "
                              "choose another name.")
    if here := [path.name for path in sorted((root / "projects").iterdir()) if path.name[3:] == name]:
        raise ConfigError(f"projects/{here[0]} exists without a pyproject.toml; nothing was written. Move it away or choose another name.")
    if keyword.iskeyword(package) or keyword.issoftkeyword(package):
        raise ConfigError(f"{name!r} is a keyword of Python, so that no package can be called so; choose another name.")
    if find_spec(package) is not None:
        raise ConfigError(f"a package {package!r} is installed already, and would be imported in the chapter's place; choose another name.")
    if program := shutil.which(name):
        raise ConfigError(f"{name!r} is a program already ({program}), and the chapter's command would hide it; choose another name.")


def _check_text(option: str, text: str) -> None:
    if found := _UNSAFE.search(text):
        raise ConfigError(f"{option} goes into code and documents and takes no {found[0]!r}; got {text!r}. Say it without.")
    if not text.isprintable() or not text.strip() or len(text) > LONGEST[option]:
        raise ConfigError(f"{option} must be one line of at most {LONGEST[option]} characters; got {len(text)}: {text[:120]!r}. "
                          "Say it in fewer words.")
    if numbers := list(markdown.unmarked_numbers(text)):
        raise ConfigError(f"{option} holds {numbers[0][1]!r}, which reads as a result without evidence; say it without.")


def list_package(text: str, package: str, known: Collection[str]) -> str:
    """Add a package to the lists that name every chapter; all else keeps its form.

    Parameters
    ----------
    text : str
        The repository's ``pyproject.toml``.
    package : str
        The new package.
    known : collection of str
        Packages of the chapters that exist, by which the lists are recognised.

    Returns
    -------
    str
        The new text; the lists are sorted.

    Raises
    ------
    ConfigError
        If there are not four such lists.
    """
    extended = []

    def _extend(found: re.Match[str]) -> str:
        names = set(re.findall(r'"([^"]*)"', found["body"]))
        if not known or not names.issuperset(known):
            return found[0]
        extended.append(found["key"])
        entries = ", ".join(f'"{name}"' for name in sorted(names | {package}))
        width = max(_LINE_LENGTH, *map(len, found["body"].splitlines()))
        rows = textwrap.fill(f"{entries},", width, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
        return f"{found['key']} = [\n{rows}\n]"

    changed = _LIST.sub(_extend, text)
    if len(extended) != PACKAGE_LISTS:
        raise ConfigError(f"pyproject.toml must have {PACKAGE_LISTS} lists that name every chapter ({', '.join(sorted(known)) or 'none'}), "
                          f"in [tool.coverage.run] and [tool.importlinter]; got {len(extended)}: {', '.join(extended) or 'none'}. "
                          "Mend them, without comments inside, and try again.")
    return changed


def render_chapter(chapter: Chapter) -> dict[str, str]:
    """Fill the templates.

    Parameters
    ----------
    chapter : Chapter
        Result of `plan_chapter`.

    Returns
    -------
    dict of str to str
        Path within the chapter's folder to the content of the file.
    """
    number = int(chapter.folder[:2])
    camel = "".join(word.capitalize() for word in chapter.command.split("-"))
    words = {"folder": chapter.folder, "number": chapter.folder[:2], "package": chapter.package, "command": chapter.command,
             "activity": chapter.activity, "question": chapter.question, "Settings": f"{camel}Settings",
             "serve_port": str(8000 + number), "dashboard_port": str(8500 + number)}
    rendered = {}
    for path, text in _read_templates(files("carefolio").joinpath(_TEMPLATES), ""):
        place = path.removesuffix(_SUFFIX).replace("src/package/", f"src/{chapter.package}/")
        filled = re.sub(r"@@(\w+?)@@", lambda found: words[found[1]], text)
        rendered[place] = _in_order(filled, chapter.package) if place.endswith(".py") else filled
    return rendered


def _read_templates(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _read_templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")


def _in_order(source: str, package: str) -> str:
    """Move the package's imports before carefolio's where its name comes first."""
    if package > "carefolio":
        return source
    return re.sub(rf"((?:^ *from carefolio\b.*\n)+)((?:^ *from {package}\b.*\n)+)", r"\2\1", source, flags=re.MULTILINE)


def next_steps(chapter: Chapter) -> str:
    """Say what was made and what to do next.

    Parameters
    ----------
    chapter : Chapter
        Result of `new_chapter`.

    Returns
    -------
    str
        Some lines.
    """
    files_and_parts = {
        "__init__.py, dashboard.py": "the question; also in pyproject.toml and README.md",
        "data.py, features.py": "your data; a new data set is described in shared/src/carefolio/datasets/catalog.toml",
        "model.py, evaluate.py, report.py": "a baseline first, then the model, then subgroups and more figures",
        "api.py": "what your service is asked",
        "card.toml, references.toml": "what is true of it",
    }
    rows = "\n".join(f"  {names:<34}{part}" for names, part in files_and_parts.items())
    return f"""\
made projects/{chapter.folder}: package {chapter.package}, command {chapter.command}; added to the lists in pyproject.toml

try it:
  make setup
  {chapter.command} run --quick
  {chapter.command} dashboard --out outputs/{chapter.package}/quick
  pytest projects/{chapter.folder} tests/test_conventions.py

it predicts readmission from eight numbers; replace, in src/{chapter.package} and in this order:
{rows}
then set IS_EXAMPLE in config.py to False, run `{chapter.command} run` on real data, write article.md, and take
in_the_making out of pyproject.toml."""
