"""Lists of videos by id and folder, and all that is known of one, on every engine."""

from pathlib import Path

from catalog import Tag

FILMS = Path("/films")


def test_videos_are_listed_from_an_id_on_and_below_a_folder(shelf, catalog) -> None:
    ids = [shelf.add(f"{name}.mp4", seed=n) for n, name in enumerate(("b", "sub/a", "sub/c"))]
    catalog.add_locations({shelf.location("sub/b again.mp4"): ids[0]})
    catalog.record_failure(shelf.location("sub/bad.mp4"), error="no video stream")

    def listed(**conditions):
        return [video.video_id for video in catalog.details.listed(**conditions)]

    assert catalog.details.listed() == catalog.videos()
    assert listed(limit=2) == ids[:2]
    assert listed(after=ids[0]) == ids[1:]
    assert listed(after=2**63) == []
    assert listed(under=FILMS / "sub") == ids
    assert listed(under=FILMS / "sub", after=ids[0], limit=1) == ids[1:2]
    assert listed(under=FILMS / "b.mp4") == ids[:1]
    assert listed(under=FILMS / "su") == []


def test_a_video_is_described_with_its_files_and_the_names_of_its_tags(shelf, catalog) -> None:
    video = shelf.add("a.mp4", clips=2)
    names = ("dog", "beach", "dog")
    tags = [Tag(name, video, 2.0 * n, 2.0 * n + 1, "strong", 0.5) for n, name in enumerate(names)]
    catalog.tags.replace(["dog", "beach"], tags)
    found = catalog.details.of_video(video)
    assert (found.record.duration, found.record.width, found.clips) == (12.0, 64, 2)
    assert [location.path for location in found.locations] == [FILMS / "a.mp4"]
    assert found.tags == ("beach", "dog")
    assert catalog.details.of_video(video + 1) is None
    assert catalog.details.of_video(2**70) is None
