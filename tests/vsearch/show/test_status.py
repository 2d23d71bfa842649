from dataclasses import replace
from pathlib import Path

import pytest

from catalog import CatalogStatus, FileProblem, Provenance
from vsearch.show.status import print_status, status_json


def status(provenance: Provenance | None) -> CatalogStatus:
    return CatalogStatus(
        address=Path("/home/me/catalog"),
        catalog_uuid="2f6a3c52-4b1c-4f0e-9d5c-0c9a1f6f7f10",
        provenance=provenance,
        videos=2,
        files=3,
        clips=40,
        video_seconds=3725.0,
        database_bytes=120_000,
        snapshot_bytes=4_000,
        failures=(FileProblem(Path("/bad.mp4"), "it is empty"),),
        generation=5,
        schema_version=1,
    )


def test_the_status_tells_the_model_the_sizes_and_the_failures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made_by = Provenance(
        model="demo",
        revision=None,
        model_digest="0123456789abcdef",
        dim=64,
        frames_per_clip=8,
        window=8.0,
        stride=4.0,
    )
    print_status(status(made_by))
    text = capsys.readouterr().out
    for told in ("demo", "0123456789ab", "40, 8 s every 4 s", "2 in 3 files, 1:02:05", "120.0 kB"):
        assert told in text
    assert "/bad.mp4: it is empty" in text
    assert "coloured shapes" in text
    print_status(status(replace(made_by, model="microsoft/xclip-base-patch32")))
    assert "coloured shapes" not in capsys.readouterr().out


def test_the_status_of_an_empty_catalog_has_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    print_status(status(None))
    assert "none yet" in capsys.readouterr().out
    assert status_json(status(None))["model"] is None


def test_the_status_tells_how_to_add_frame_vectors_where_videos_lack_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_status(status(None))
    assert "--add-frames" not in capsys.readouterr().out
    for lacking, words in ((1, "1 video has no"), (2, "2 videos have no")):
        print_status(replace(status(None), without_frames=lacking))
        text = capsys.readouterr().out
        assert words in text
        assert "vsearch index --add-frames PATH" in text
    assert status_json(replace(status(None), without_frames=2))["without_frames"] == 2


def test_the_status_tells_of_damage_of_films_half_done_and_of_folders_that_are_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worn = replace(
        status(None),
        damaged=(FileProblem(Path("/half.mp4"), "breaks off at 03:12"),),
        partials=2,
        roots=(tmp_path, tmp_path / "unplugged"),
    )
    print_status(worn)
    lines = capsys.readouterr().out.splitlines()
    assert "  /half.mp4: breaks off at 03:12" in lines
    assert "begun    2 videos; the next index run goes on from there" in lines
    assert f"  {tmp_path}" in lines
    assert f"  {tmp_path / 'unplugged'} (not there; is its disk mounted?)" in lines
    told = status_json(worn)
    assert told["damaged"] == [{"path": "/half.mp4", "note": "breaks off at 03:12"}]
    assert told["roots"] == [str(tmp_path), str(tmp_path / "unplugged")]
    assert told["unfinished"] == 2
