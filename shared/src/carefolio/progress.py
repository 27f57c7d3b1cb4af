"""A bar that shows how far a long piece of work is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show on standard error how far a long piece of work is; nothing where that is no terminal.

    Parameters
    ----------
    title : str
        What is being done.

    Yields
    ------
    callable
        Takes how much is done, and of how much.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
