"""The verbs that every chapter has, made from the four functions of its ``pipeline`` module.

That module holds ``data_stage(settings, out)``, ``train_stage``, ``evaluate_stage``, and ``report_stage(settings, out, command=...,
to_repository=...)``; with parts, ``data_stage`` takes ``parts`` too. It is imported when a verb runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from carefolio.command import common_options, run_dashboard

OpenRun = Callable[[Path | None, bool, int | None, Path | None], tuple[Any, Path]]
"""Takes ``config``, ``quick``, ``seed`` and ``out``; gives the settings and the folder of the run."""
ABOUT = {"data": "Load and check the data sets.", "report": "Write evidence, figures and model card; needs `evaluate`.",
         "run": "All four stages in order."}
"""What verbs say of themselves where a chapter says nothing else."""


def stage_verbs(package: str, command: str, open_run: OpenRun, *, about: Mapping[str, str], parts: Sequence[str] = (),
                part: str = "part") -> list[click.Command]:
    """Make ``data``, ``train``, ``evaluate``, ``report`` and ``run``.

    Parameters
    ----------
    package : str
        Import name of the chapter.
    command : str
        Name of its command, which goes into the evidence.
    open_run : callable
        Reads the settings and finds the folder of a run.
    about : mapping of str to str
        What each verb says of itself; ``train`` and ``evaluate`` at least.
    parts : sequence of str, optional
        Parts that can be chosen by ``data`` and ``run``.
    part : str, default "part"
        What a part is called; names the option.

    Returns
    -------
    list of click.Command
        In the order of use; a chapter may leave one out and add its own.
    """
    said = {**ABOUT, **about}
    choice = click.option(f"--{part}", "parts", multiple=True, type=click.Choice(list(parts)),
                          help=f"Only this {part}; may be given again. Default: all.")

    def _verb(name: str, function: Callable[..., None], *, takes_parts: bool = False) -> click.Command:
        options = choice(function) if takes_parts and parts else function
        return click.command(name, help=said[name])(common_options(options))

    def _data(config: Path | None, quick: bool, seed: int | None, out: Path | None, **chosen: tuple[str, ...]) -> None:
        with _held(open_run(config, quick, seed, out)) as opened:
            _pipeline(package).data_stage(*opened, **chosen)

    def _train(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
        with _held(open_run(config, quick, seed, out)) as opened:
            _pipeline(package).train_stage(*opened)

    def _evaluate(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
        with _held(open_run(config, quick, seed, out)) as opened:
            _pipeline(package).evaluate_stage(*opened)

    def _report(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
        with _held(open_run(config, quick, seed, out)) as opened:
            _pipeline(package).report_stage(*opened, command=f"{command} report", to_repository=not quick and out is None)

    def _run(config: Path | None, quick: bool, seed: int | None, out: Path | None, **chosen: tuple[str, ...]) -> None:
        with _held(open_run(config, quick, seed, out)) as (settings, folder):
            _run_all(_pipeline(package), settings, folder, chosen, command=f"{command} run{' --quick' if quick else ''}",
                     to_repository=not quick and out is None)

    return [_verb("data", _data, takes_parts=True), _verb("train", _train), _verb("evaluate", _evaluate), _verb("report", _report),
            _verb("run", _run, takes_parts=True)]


def dashboard_verb(package: str, *, port: int, about: str) -> click.Command:
    """Make ``dashboard``, which shows the committed results, or those of a run.

    Parameters
    ----------
    package : str
        Import name of the chapter; it holds ``dashboard.py``.
    port : int
        Port on the loopback address.
    about : str
        What the verb says of itself.

    Returns
    -------
    click.Command
        With ``--port`` and ``--out``.
    """
    def _dashboard(port: int, out: Path | None) -> None:
        run_dashboard(package, port=port, arguments=[str(out.resolve())] if out else [])

    options = [click.option("--port", type=int, default=port, show_default=True, help="Port on the loopback address."),
               click.option("--out", type=click.Path(file_okay=False, path_type=Path),
                            help="Folder of a run to show; default the committed.")]
    return click.command("dashboard", help=about)(options[0](options[1](_dashboard)))


def serve_options(*, port: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make the options of ``serve``: ``--host``, ``--port`` and ``--no-auth``.

    Parameters
    ----------
    port : int
        Its default port.

    Returns
    -------
    callable
        Adds them to a click command's function, which receives ``host``, ``port`` and ``no_auth``.
    """
    options = [click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind."),
               click.option("--port", type=click.IntRange(1, 65535), default=port, show_default=True, help="Port to bind."),
               click.option("--no-auth", is_flag=True, help="Ask for no key; on this machine only.")]
    return lambda function: options[0](options[1](options[2](function)))


@contextmanager
def _held(opened: tuple[Any, Path]) -> Iterator[tuple[Any, Path]]:
    """Keep other processes off the folder of a run while a verb works in it."""
    from carefolio.runs import hold_folder

    with hold_folder(opened[1]):
        yield opened


def _pipeline(package: str) -> Any:
    return import_module(f"{package}.pipeline")


def _run_all(pipeline: Any, settings: Any, folder: Path, chosen: Mapping[str, tuple[str, ...]], *, command: str,
             to_repository: bool) -> None:
    """Run the stages; where a part had to be left out, say so at the end and leave with its exit code."""
    from carefolio.parts import refuse_missing_parts

    pipeline.data_stage(settings, folder, **chosen)
    pipeline.train_stage(settings, folder)
    pipeline.evaluate_stage(settings, folder)
    pipeline.report_stage(settings, folder, command=command, to_repository=to_repository)
    click.echo(f"evidence, figures and model card: {folder / 'reports'}")
    if chosen:
        refuse_missing_parts(folder)
