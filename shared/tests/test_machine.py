"""What the machine refuses is told from faults of the program, and said with the file, the reason and what to do."""

import errno
import os
import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carefolio.artefacts import atomic_path
from carefolio.command import Group
from carefolio.machine import REASONS, explain


def failing(error: Exception, path: Path) -> Exception:
    """Give an error as it leaves the writing of a file."""
    with pytest.raises(type(error)) as caught, atomic_path(path):
        raise error
    return caught.value


@pytest.mark.parametrize("number", REASONS)
def test_an_error_with_a_number_names_the_file_that_was_being_written(number, tmp_path):
    said = str(explain(failing(OSError(number, os.strerror(number)), tmp_path / "a.json")))
    assert said.startswith(f"{tmp_path / 'a.json'}: {REASONS[number][0]}")
    assert REASONS[number][1] in said
    assert "\n" not in said
    assert ("MB free" in said) is (number == errno.ENOSPC)


@pytest.mark.parametrize("error", [RuntimeError("I/O error: No space left on device (os error 28)"),
                                   sqlite3.OperationalError("database or disk is full")])
def test_a_compiled_library_that_gives_a_text_alone_is_understood(error, tmp_path):
    assert "no space is left" in str(explain(failing(error, tmp_path / "a.json")))


def test_what_it_was_raised_from_counts(tmp_path):
    with pytest.raises(ValueError) as caught:
        try:
            raise OSError(errno.EROFS, "Read-only file system", str(tmp_path / "a"))
        except OSError as error:
            raise ValueError("cannot save") from error
    assert f"{tmp_path / 'a'}: the file system is read-only" in str(explain(caught.value))


@pytest.mark.parametrize("error", [ValueError("y must be binary"), FileNotFoundError(errno.ENOENT, "No such file or directory", "x"),
                                   PermissionError(errno.EACCES, "Permission denied")])
def test_faults_of_the_program_are_left_as_they_are(error):
    assert explain(error) is None


@pytest.mark.parametrize(("error", "code"), [(OSError(errno.ENOSPC, "No space left on device", "/x/y"), 23), (ValueError("no"), 1),
                                             (click.UsageError("Permission denied"), 2)])
def test_a_command_says_it_in_one_line_and_shows_other_faults(error, code):
    @click.group(cls=Group)
    def main() -> None: ...

    @main.command()
    def fail() -> None:
        raise error

    done = CliRunner().invoke(main, ["fail"])
    assert done.exit_code == code
    assert isinstance(done.exception, ValueError if code == 1 else SystemExit)
    assert done.output.startswith("error: /x/y: no space is left") is (code == 23)
