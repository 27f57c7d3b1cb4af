

from carefolio.testing import chromium_path, real_data_available, requires_browser, requires_command, requires_real_data


def test_data_is_available_only_with_all_of_its_files(monkeypatch, tmp_path):
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "diabetes130"
    folder.mkdir()
    (folder / "diabetic_data.csv").touch()
    assert not real_data_available("diabetes130")
    assert requires_real_data("diabetes130").args == (True,)
    (folder / "IDS_mapping.csv").touch()
    assert real_data_available("diabetes130")
    assert requires_real_data("diabetes130").args == (False,)


def test_marks_carry_a_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium_path() is None
    assert requires_browser().args == (True,)
    assert "install Chromium" in requires_browser().kwargs["reason"]
    assert requires_command("npx").args == (True,)
    assert "npx is not on the PATH" in requires_command("npx").kwargs["reason"]
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    assert chromium_path() == program
    assert requires_browser().args == (False,)
