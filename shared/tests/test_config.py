"""Settings are read in layers, and what is not understood is refused with its place."""

import sys
from pathlib import Path

import pytest

from carefolio.config import Settings, load_config
from carefolio.exceptions import ConfigError


class Inner(Settings):
    """A table."""

    size: int
    label: str = "plain"


class Outer(Settings):
    """All settings."""

    seed: int
    inner: Inner


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with defaults under two names, and a quick form."""
    home = tmp_path / "demo_settings"
    home.mkdir()
    (home / "__init__.py").write_text("")
    (home / "config.toml").write_text("seed = 0\n[inner]\nsize = 1\n")
    (home / "quick.toml").write_text("[inner]\nsize = 2\n")
    (home / "deploy.toml").write_text("seed = 9\n[inner]\nsize = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "demo_settings", raising=False)
    return "demo_settings"


def test_later_layers_win(package: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[inner]\nlabel = "mine"\n')
    assert load_config(Outer, package) == Outer(seed=0, inner=Inner(size=1))
    assert load_config(Outer, package, quick=True, seed=4, file=mine) == Outer(seed=4, inner=Inner(size=2, label="mine"))
    assert load_config(Outer, package, quick=True, file=mine, over={"inner": {"label": "over"}}).inner == Inner(size=2, label="over")
    assert load_config(Outer, package, defaults="deploy.toml") == Outer(seed=9, inner=Inner(size=3))


def test_what_is_not_understood_names_the_place_and_the_defaults(package: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[inner]\nsizes = 1\n")
    with pytest.raises(ConfigError, match=r"mine\.toml: `inner\.sizes`.*stand in demo_settings/deploy\.toml"):
        load_config(Outer, package, file=mine, defaults="deploy.toml")
    with pytest.raises(ConfigError, match=r"`inner\.size`.*got 'many'.*demo_settings/config\.toml"):
        load_config(Outer, package, over={"inner": {"size": "many"}})
    mine.write_text("[inner")
    with pytest.raises(ConfigError, match=r"mine\.toml cannot be read"):
        load_config(Outer, package, file=mine)
