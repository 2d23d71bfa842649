"""Several sentences on a small pool: every formula ranks, and the product's is no worse."""

import pytest

from benchmarks.answers.asked import Models
from benchmarks.questions import parts


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return parts.measure(
        Models.load(), pools=(1,), clips=112, questions=8, folder=tmp_path_factory.mktemp("pool")
    )


def test_the_sum_of_centred_scores_finds_three_parts_and_two_without_a_third(
    tables: list[str],
) -> None:
    rows = [line.split("|")[1:-1] for line in tables[0].splitlines() if "(ours)" in line]
    precisions = {(kind.strip(), vectors.strip()): figure for kind, vectors, _, figure in rows}
    assert len(precisions) == 4
    for figure in precisions.values():
        assert float(figure.split("±")[0]) > 0.85


def test_confidence_is_told_for_what_is_there_and_what_is_not(tables: list[str]) -> None:
    there, lacking = [line for line in tables[1].splitlines() if "| none |" in line][-2:]
    assert float(there.split("|")[3]) > 0.8
    assert float(lacking.split("|")[3]) < 0.1
