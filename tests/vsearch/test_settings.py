from pathlib import Path

import pytest

from vsearch.errors import SettingError
from vsearch.settings import Settings, page_environment, read_page_settings, read_settings


def test_the_home_folder_is_the_one_that_the_environment_names(tmp_path: Path) -> None:
    settings = read_settings({"VSEARCH_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert settings.catalog == tmp_path / "catalog"


def test_without_a_word_the_home_folder_is_the_platforms_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert read_settings({}).home.name == "vsearch"


def test_an_empty_variable_is_none_at_all() -> None:
    assert read_settings({"VSEARCH_HOME": ""}) == read_settings({})


def test_a_flag_wins_over_the_environment_and_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({"VSEARCH_HOME": "/elsewhere"}, catalog=Path("mine"))
    assert settings.catalog == tmp_path / "mine"


@pytest.mark.parametrize("model", [None, "demo", "/a folder/model"])
def test_the_page_gets_the_settings_of_the_command_that_started_it(
    tmp_path: Path, model: str | None
) -> None:
    settings = Settings(
        home=tmp_path,
        catalog=tmp_path / "other place",
        model=model,
    )
    assert read_page_settings(page_environment(settings)) == settings


def test_a_server_finds_the_folder_of_a_model_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    for given, told in (("tiny", str(tmp_path / "tiny")), ("demo", "demo"), ("a/b@c", "a/b@c")):
        settings = read_settings({"VSEARCH_HOME": str(tmp_path)}, model=given)
        assert read_page_settings(page_environment(settings)).model == told


def test_a_page_that_the_command_did_not_start_gets_none(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="was not started by `vsearch ui`"):
        read_page_settings({"VSEARCH_HOME": str(tmp_path)})
