"""What all tests of the repository share."""

import sys
from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a chapter in one process where several share the work (`pytest -n 2 --dist loadgroup`): they share small runs."""
    for item in items:
        part = item.path.relative_to(config.rootpath).parts
        item.add_marker(pytest.mark.xdist_group("/".join(part[:2])))


@pytest.fixture(autouse=True)
def _main_module_stays() -> Iterator[None]:
    """Put ``__main__`` back: Streamlit's AppTest leaves its script there, and processes started later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def twin_only(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Environment in which no published file can be had; what packages ship is there."""
    return {"CAREFOLIO_DATA_DIR": None, "CAREFOLIO_OFFLINE": "1", "CAREFOLIO_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}
