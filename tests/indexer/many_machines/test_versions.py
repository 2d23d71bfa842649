"""Workers that do not fit the catalog, by their version or their model: one sentence each."""

import pytest


@pytest.fixture
def database(address, postgresql_server):
    """Executes a command in the database of the catalog."""
    name = dict(address.options)["dbname"]
    return lambda command: postgresql_server.execute(command, database=name)


def test_a_worker_ends_with_a_sentence_when_a_newer_version_upgrades_the_catalog(
    start, database, tmp_path
):
    hold = tmp_path / "hold"
    older = start("--hold", hold, "--readers", "1")
    older.wait_for(told="done")
    database("UPDATE meta SET schema_version = schema_version + 1")
    hold.touch()
    code, said = older.end()
    assert (code, said.count("\n")) == (1, 1)
    assert "upgrade vsearch" in said
    code, said = start().end()  # so does one that comes later
    assert (code, said.count("\n")) == (1, 1)
    assert "upgrade vsearch" in said


def test_a_worker_with_another_model_ends_with_a_sentence_and_adds_nothing(
    start, database, tmp_path
):
    first = start("--hold", tmp_path / "hold", "--readers", "1")
    first.wait_for(told="done")
    before = database("SELECT count(*) FROM clips")
    code, said = start("--model", "other").end()
    assert (code, said.count("\n")) == (1, 1)
    assert "slow" in said
    assert "other" in said
    assert database("SELECT count(*) FROM clips") == before
