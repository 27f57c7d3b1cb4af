"""The ``carefolio`` command: what the repository holds, its data, its chapters run in a row, and its documents checked."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carefolio.command import Group

if TYPE_CHECKING:
    from carefolio.chapters import Chapter


@click.group(cls=Group)
@click.version_option(package_name="carefolio")
def main() -> None:
    """Healthcare machine-learning projects: list them, run them, check what they claim.

    For research and education. Not a medical device; not for decisions about patients.
    """


@main.command("list")
def list_chapters() -> None:
    """Show the chapters, their questions and their headline results."""
    from rich.console import Console
    from rich.table import Table

    from carefolio.chapters import headline, read_chapters, repository_root

    table = Table("chapter", "command", "question", "headline", "activity")
    for chapter in read_chapters(repository_root()):
        table.add_row(chapter.folder[:2], chapter.command if chapter.home else f"[dim]{chapter.command}[/dim]", chapter.question,
                      headline(chapter), chapter.activity)
    Console().print(table)


@main.command()
@click.argument("name")
@click.option("--question", default="", metavar="TEXT", help="What the chapter asks, in a sentence.")
@click.option("--activity", default="", metavar="TEXT", help="What it is about, in a few words.")
def new(name: str, question: str, activity: str) -> None:
    """Make a chapter that runs and keeps the conventions: an example, to be replaced piece by piece.

    NAME is lower-case words joined by hyphens, such as sepsis-alerts; it names folder, package and command.\f

    Parameters
    ----------
    name : str
        Of the chapter.
    question : str
        What it asks.
    activity : str
        What it is about.
    """
    from carefolio.chapters import repository_root
    from carefolio.scaffold import new_chapter, next_steps

    click.echo(next_steps(new_chapter(repository_root(), name, question=question, activity=activity)))


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every chapter that exists.")
@click.option("--quick", is_flag=True, help="Fewer rows, trials and replicates; about a minute a chapter.")
def run(names: tuple[str, ...], everything: bool, quick: bool) -> None:
    """Run chapters one after the other; go on after a failure and say at the end what failed.

    NAME is a chapter's command, package, folder or number.\f

    Parameters
    ----------
    names : tuple of str
        Chapters.
    everything : bool
        All that exist.
    quick : bool
        Passed on.
    """
    from carefolio.chapters import read_chapters, repository_root, select

    if everything == bool(names):
        raise click.UsageError("Name the chapters to run, or give --all; `carefolio list` shows them.")
    root = repository_root()
    results = []
    for chapter in select(read_chapters(root), list(names)):
        start = time.perf_counter()
        click.secho(f"{chapter.folder}: {chapter.command} run{' --quick' if quick else ''}", bold=True, err=True)
        reason = _run_chapter(chapter, quick=quick)
        results.append((chapter, time.perf_counter() - start, reason))
    _print_results(results)
    if any(reason for _, _, reason in results):
        sys.exit(1)


def _run_chapter(chapter: "Chapter", *, quick: bool) -> str:
    """Run a chapter's own command, passing its messages on; the reason of a failure is its last line."""
    import shutil
    import subprocess
    import sysconfig

    script = shutil.which(chapter.command, path=sysconfig.get_path("scripts")) or shutil.which(chapter.command)
    if script is None:
        return f"the command {chapter.command!r} is not installed; run `make setup`"
    last = ""
    with subprocess.Popen([script, "run", *(["--quick"] if quick else [])], stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            click.echo(line, nl=False, err=True)
            last = line.strip() or last
    return f"exit code {process.returncode}: {last or 'no message'}" if process.returncode else ""


def _print_results(results: "list[tuple[Chapter, float, str]]") -> None:
    from rich.console import Console
    from rich.table import Table

    from carefolio.chapters import headline

    total = sum(seconds for _, seconds, _ in results)
    table = Table("chapter", "result", "seconds", "headline in its committed evidence",
                  caption=f"{len(results)} chapters in {total / 60:.1f} minutes")
    for chapter, seconds, reason in results:
        table.add_row(chapter.folder, "[red]failed[/red]" if reason else "[green]done[/green]", f"{seconds:.1f}",
                      "" if reason else headline(chapter))
    Console().print(table)
    for chapter, _, reason in results:
        if reason:
            click.echo(f"{chapter.folder} failed: {reason}", err=True)


@main.group(cls=Group)
def data() -> None:
    """List, fetch and verify the data sets."""


@data.command("list")
def list_data() -> None:
    """Show the data sets, their licences, and where this machine would take them from."""
    from rich.console import Console
    from rich.table import Table

    from carefolio.datasets.catalog import read_catalog
    from carefolio.datasets.resolve import local_copy

    table = Table("name", "title", "licence", "files", "here")
    for name, entry in read_catalog().items():
        copies = [local_copy(entry, file) for file in entry.files]
        places = sorted({copy[1] for copy in copies if copy})
        table.add_row(name, entry.title, entry.licence, str(len(entry.files)), ", ".join(places) if all(copies) else "to fetch")
    Console().print(table)


@data.command()
@click.argument("name", required=False)
def fetch(name: str | None) -> None:
    """Fetch a data set, or all of them, and say where each file came from.\f

    Parameters
    ----------
    name : str or None
        Name in the catalogue.
    """
    from carefolio.datasets.catalog import read_catalog
    from carefolio.datasets.resolve import fetch as fetch_files

    for dataset in [name] if name else read_catalog():
        for file in fetch_files(dataset):
            click.echo(f"{dataset}/{file.path.name}: {file.origin}, {file.path}, SHA-256 {file.sha256}")


@data.command()
@click.argument("name", required=False)
def verify(name: str | None) -> None:
    """Check the files that are on this machine against their checksums; nothing is downloaded.\f

    Parameters
    ----------
    name : str or None
        Name in the catalogue.
    """
    from carefolio.datasets.catalog import read_catalog
    from carefolio.datasets.resolve import verify as verify_files
    from carefolio.exceptions import DataIntegrityError

    states = [(dataset, *state) for dataset in ([name] if name else read_catalog()) for state in verify_files(dataset)]
    for dataset, file, status in states:
        click.echo(f"{dataset}/{file}: {status}")
    corrupt = [f"{dataset}/{file}" for dataset, file, status in states if status == "corrupt"]
    if corrupt:
        raise DataIntegrityError(f"{', '.join(corrupt)}: not the bytes that the catalogue promises; delete and fetch again.")


@main.command()
@click.option("--write", is_flag=True, help="First fill the markers of all documents from the evidence.")
def check(write: bool) -> None:
    """Check every number and command in the documents, every link, card, figure and artefact, and what all chapters have in common.\f

    Parameters
    ----------
    write : bool
        Fill the markers first.
    """
    from carefolio.chapters import repository_root
    from carefolio.exceptions import EvidenceError
    from carefolio.house import check_house
    from carefolio.repository import check_repository, documents

    root = repository_root()
    problems = [*check_repository(root, write=write), *check_house(root)]
    for problem in problems:
        click.echo(str(problem))
    if problems:
        count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        raise EvidenceError(f"{count} in the documents and reports; each line above says what to do.")
    click.echo(f"{len(documents(root))} documents agree with their evidence; their commands exist; the chapters are alike.")


@main.command()
@click.option("--base", default="", metavar="COMMIT", help="Compare with this commit or branch; without it, every chapter is named.")
def changed(base: str) -> None:
    """Print, as JSON, the chapters that the changes since --base concern: the matrix of the tests in CI.\f

    Parameters
    ----------
    base : str
        Commit or branch.
    """
    import json

    from carefolio.changes import changed_files, concerned
    from carefolio.chapters import repository_root

    root = repository_root()
    files = changed_files(root, base)
    if files is None:
        click.echo(f"{f'{base} is not in this clone' if base else 'no --base'}: every chapter", err=True)
    click.echo(json.dumps([{"folder": chapter.folder, "command": chapter.command} for chapter in concerned(root, files)]))


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="JUnit file of the tests.")
def summary(names: tuple[str, ...], junit: Path | None) -> None:
    """Print, as Markdown, the tests and the metrics of chapters, committed and of this run.\f

    Parameters
    ----------
    names : tuple of str
        Chapters; all that exist by default.
    junit : Path or None
        JUnit file.
    """
    from carefolio.chapters import read_chapters, repository_root, select
    from carefolio.run_summary import summarise

    click.echo(summarise(select(read_chapters(repository_root()), list(names)), junit), nl=False)


@main.command()
@click.option("--base", default="HEAD", show_default=True, metavar="COMMIT", help="What to compare with.")
def diff(base: str) -> None:
    """Print, as Markdown, the metrics of the committed reports that differ from a commit's.\f

    Parameters
    ----------
    base : str
        Commit or branch.
    """
    from carefolio.chapters import read_chapters, repository_root
    from carefolio.evidence_diff import evidence_diff

    root = repository_root()
    click.echo(evidence_diff(root, read_chapters(root), base=base), nl=False)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("outputs/posts"), show_default=True,
              help="Gets a folder a chapter.")
@click.option("--address", default="", metavar="URL", help="Where the repository is; the last line of each post.")
def posts(names: tuple[str, ...], out: Path, address: str) -> None:
    """Write the articles as plain text to paste, short and whole, with their figures and what these show.\f

    Parameters
    ----------
    names : tuple of str
        Chapters; all that have an article by default.
    out : Path
        Folder to write.
    address : str
        Of the repository.
    """
    from carefolio.chapters import read_chapters, repository_root, select
    from carefolio.posts import write_posts

    for chapter, post in write_posts(select(read_chapters(repository_root()), list(names)), out, address=address):
        click.echo(f"{out / chapter.folder}: post of {len(post.short):,} characters, article of {len(post.long):,}, "
                   f"{len(post.figures)} figures")


@main.command()
@click.option("--port", type=int, default=8500, show_default=True, help="Port on the loopback address.")
def hub(port: int) -> None:
    """Serve the home page of all chapters to this machine's browser.\f

    Parameters
    ----------
    port : int
        Port on the loopback address.
    """
    from carefolio.command import run_dashboard

    run_dashboard("carefolio", port=port, page="hub.py")
