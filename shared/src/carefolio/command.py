"""What every project's command has in common: the options, the progress lines, and errors in one line with an exit code.

Heavy imports stand inside the functions that need them, so that ``--help`` answers at once.
"""

import functools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from carefolio.exceptions import CarefolioError, DataUnavailableError

DISCLAIMER = "For research and education. Not a medical device; not for decisions about patients."

DASHBOARD_GUARDS = {"server.enableXsrfProtection": "true", "server.enableCORS": "true", "server.maxUploadSize": "16",
                    "server.enableStaticServing": "false", "client.showErrorDetails": "none", "client.toolbarMode": "viewer",
                    "browser.gatherUsageStats": "false", "global.developmentMode": "false"}
"""Of every Streamlit page, also in an image; the largest upload, in MiB, is that of the retinopathy API."""
DASHBOARD_LOOK = {"server.headless": "true", "theme.base": "light", "theme.primaryColor": "#0072B2"}


def common_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--config``, ``--quick``, ``--seed`` and ``--out`` to a command.

    Parameters
    ----------
    function : callable
        A click command's function; it receives ``config``, ``quick``, ``seed`` and ``out``.

    Returns
    -------
    callable
        The same function with the options.
    """
    options = [
        click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over the defaults."),
        click.option("--quick", is_flag=True, help="Fewer rows, trials and replicates; about a minute."),
        click.option("--seed", type=int, help="Seed of every random choice."),
        click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for everything written."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), function)


class Group(click.Group):
    """A command group whose verbs stand in the order of use and whose expected errors take one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Keep the verbs in the order in which they are defined.

        Parameters
        ----------
        ctx : click.Context
            Given by click.

        Returns
        -------
        list of str
            Names of the verbs.
        """
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; print a ``CarefolioError``, or what the machine refuses, in one line and leave with its exit code.

        Parameters
        ----------
        ctx : click.Context
            Given by click.

        Returns
        -------
        Any
            What the verb returns.
        """
        try:
            return super().invoke(ctx)
        except CarefolioError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("stopped; nothing half-written was left behind. Run the same command to go on.", err=True)
            sys.exit(130)
        except Exception as error:
            from carefolio.machine import explain

            refused = None if isinstance(error, click.ClickException) else explain(error)
            if refused is None:
                raise
            click.echo(f"error: {refused}", err=True)
            sys.exit(refused.exit_code)


@contextmanager
def step(title: str, durations_s: dict[str, float] | None = None) -> Iterator[None]:
    """Say what is being done, show that it is alive, and say how long it took.

    Parameters
    ----------
    title : str
        What is being done, in a few words.
    durations_s : dict, optional
        Receives the elapsed seconds under ``title``.

    Yields
    ------
    None
        The work goes into the block.
    """
    from rich.console import Console

    console = Console(stderr=True)
    start = time.perf_counter()
    with console.status(f"{title} …"):
        yield
    elapsed = time.perf_counter() - start
    if durations_s is not None:
        durations_s[title] = round(elapsed, 2)
    console.print(f"[green]✓[/green] {title} [dim]{elapsed:.1f} s[/dim]", highlight=False)


def command_line(package: str, *arguments: str) -> list[str]:
    """Write the command line of a package's own command, run by this interpreter wherever its script is installed.

    Parameters
    ----------
    package : str
        Import name; it holds ``cli.py``.
    *arguments : str
        A verb and its options.

    Returns
    -------
    list of str
        Program and arguments.
    """
    return [sys.executable, "-c", f"from {package}.cli import main; main()", *arguments]


def run_verb(package: str, *arguments: str) -> None:
    """Run a verb of another chapter's command to its end, and pass on that generated data stood in for real data.

    Parameters
    ----------
    package : str
        Import name; it holds ``cli.py``.
    *arguments : str
        A verb and its options.

    Raises
    ------
    DataUnavailableError
        If it fails; its last words are in the message.
    """
    import subprocess

    from carefolio.datasets.twin import SYNTHETIC

    done = subprocess.run(command_line(package, *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataUnavailableError(f"`{package} {arguments[0]}` ended with status {done.returncode}: {done.stderr.strip()[-400:]}. "
                                   f"Install carefolio-{package.replace('_', '-')}, or mend what it names.")
    for line in done.stderr.splitlines():
        if line.startswith(SYNTHETIC):
            click.echo(line, err=True)


def serve_app(target: str, *, host: str, port: int) -> None:
    """Run an ASGI app factory with uvicorn, and tell the app the address it is bound to.

    Parameters
    ----------
    target : str
        ``"package.api:create_app"``.
    host : str
        Address to bind.
    port : int
        Port to bind.
    """
    import uvicorn

    os.environ["CAREFOLIO_HOST"] = host
    uvicorn.run(target, factory=True, host=host, port=port, log_level="info", access_log=False, server_header=False)


def dashboard_command(script: str, *, port: int, arguments: Sequence[str] = ()) -> list[str]:
    """Write the command line of a Streamlit page: on loopback, guarded against other sites, without a traceback in the browser.

    Parameters
    ----------
    script : str
        File of the page.
    port : int
        Port on the loopback address.
    arguments : sequence of str, optional
        Passed on to the script.

    Returns
    -------
    list of str
        Program and arguments, with the settings of `DASHBOARD_GUARDS` and `DASHBOARD_LOOK`.
    """
    settings = {"server.address": "127.0.0.1", "server.port": str(port), **DASHBOARD_GUARDS, **DASHBOARD_LOOK}
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", script, *options, "--", *arguments]


def run_dashboard(package: str, *, port: int, arguments: Sequence[str] = (), page: str = "dashboard.py") -> None:
    """Run a page of a package with Streamlit on loopback and wait for it.

    Parameters
    ----------
    package : str
        Import name of the package.
    port : int
        Port on the loopback address.
    arguments : sequence of str, optional
        Passed on to the script.
    page : str, default "dashboard.py"
        Its file in the package.
    """
    import subprocess
    from importlib.resources import files

    command = dashboard_command(str(files(package).joinpath(page)), port=port, arguments=arguments)
    raise SystemExit(subprocess.run(command, check=False).returncode)
