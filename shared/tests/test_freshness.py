import subprocess
from datetime import UTC, datetime

import pytest

from carefolio.chapters import read_chapters
from carefolio.freshness import commits_since, freshness

NOW = datetime(2026, 2, 3, 13, tzinfo=UTC)


@pytest.fixture
def demo(repository):
    return read_chapters(repository)[0]


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize(("created", "said"), [
    ("2026-02-03T12:00:00Z", "today"), ("2026-02-02T12:00:00Z", "yesterday"), ("2026-01-31T12:00:00Z", "3 days ago"),
    ("2026-02-03T13:30:00Z", "today"), ("2026-03-01T00:00:00Z", "in the future (check the clock)")])
def test_the_age_is_said_in_words(demo, make_record, created, said):
    assert freshness(demo, make_record(created=created), now=NOW) == f"made {said} at abc1234"


def test_later_commits_to_the_source_are_counted(demo, repository, make_record):
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "First")
    commit = git(repository, "rev-parse", "--short", "HEAD")
    record = make_record(commit=commit, created="2026-01-31T12:00:00Z")
    assert freshness(demo, record, now=NOW) == f"made 3 days ago at {commit}; its code has not changed since"
    (repository / "README.md").write_text("# Other\n")
    (demo.home / "src" / "new.py").write_text("")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "Second")
    assert commits_since(commit, demo) == 1


@pytest.mark.parametrize("commit", ["unknown", "abc1234-dirty", "--all", "0000000"])
def test_what_cannot_be_told_is_not_told(demo, repository, commit):
    git(repository, "init")
    assert commits_since(commit, demo) is None
