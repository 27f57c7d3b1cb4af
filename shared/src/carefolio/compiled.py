"""Compiled loops, kept on disk where that can be written: beside their source, in the user's cache folder, or in ``NUMBA_CACHE_DIR``."""

from collections.abc import Callable
from typing import Any

import numba


def compile_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called; it releases the interpreter's lock.

    Parameters
    ----------
    function : callable
        Of numbers and arrays. Use this as a decorator.

    Returns
    -------
    callable
        The compiled function. Where nothing can be kept on disk, each process compiles it anew, which takes about a second.
    """
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        return numba.njit(nogil=True)(function)
