"""What is due when: arithmetic on a clock that is given."""

from pathlib import Path

import pytest

from catalog import FileProblem
from indexer import ReportedFailures, SettingsError, WatchSettings
from indexer.watch.debounce import (
    MAX_MOVE_WAIT,
    MAX_RETRY_DELAY,
    Pass,
    PendingChanges,
    changes,
    concerns_index,
)

SETTLE = 5.0
A, B = Path("/films/a.mp4"), Path("/films/b.mp4")
ROOTS = frozenset({Path("/films")})


class Disk(dict[Path, tuple[int, int]]):
    """Sizes and times of files by their paths."""

    def look(self, path):
        return self.get(path)


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def pending():
    return PendingChanges(settle=SETTLE)


def happen(pending, disk, path, *, at):
    pending.note(path, at=at, look=disk.look(path))


def test_nothing_is_due_when_nothing_happened(pending, disk) -> None:
    assert pending.next_pass(1e6, look=disk.look) is None


def test_a_file_is_due_when_nothing_happened_to_it_for_a_while(pending, disk) -> None:
    disk[A] = (10, 1)
    happen(pending, disk, A, at=100)
    assert pending.next_pass(104.9, look=disk.look) is None
    assert pending.next_pass(105, look=disk.look) == Pass(frozenset({A}), False, frozenset())


def test_every_event_puts_a_file_off(pending, disk) -> None:
    for at in range(100, 200):
        disk[A] = (at, at)
        happen(pending, disk, A, at=at)
        assert pending.next_pass(at + 4, look=disk.look) is None
    assert pending.next_pass(199 + SETTLE, look=disk.look) is not None


def test_a_file_that_grows_without_an_event_is_put_off_too(pending, disk) -> None:
    disk[A] = (10, 1)
    happen(pending, disk, A, at=100)
    disk[A] = (20, 1)
    assert pending.next_pass(105, look=disk.look) is None
    assert pending.next_pass(109, look=disk.look) is None
    assert pending.next_pass(110, look=disk.look) is not None


def test_a_file_that_still_grows_is_held_while_another_is_due(pending, disk) -> None:
    disk |= {A: (10, 1), B: (10, 1)}
    happen(pending, disk, A, at=100)
    happen(pending, disk, B, at=104)
    assert pending.next_pass(106, look=disk.look) == Pass(frozenset({A}), False, frozenset({B}))


def test_a_pass_over_everything_holds_what_still_grows(pending, disk) -> None:
    disk[A] = (10, 1)
    happen(pending, disk, A, at=100)
    pending.note_everything()
    assert pending.next_pass(101, look=disk.look) == Pass(frozenset(), True, frozenset({A}))


def test_what_a_pass_has_seen_is_not_due_again(pending, disk) -> None:
    disk |= {A: (10, 1), B: (10, 1)}
    happen(pending, disk, A, at=100)
    happen(pending, disk, B, at=104)
    pending.note_everything()
    pending.finish(pending.next_pass(106, look=disk.look))
    assert not pending.everything_is_due(106)
    pending.finish(pending.next_pass(109, look=disk.look))
    assert pending.next_pass(1e6, look=disk.look) is None


def test_something_gone_is_remembered_while_something_else_moves(pending, disk) -> None:
    disk[A] = (10, 1)
    happen(pending, disk, B, at=100)  # B went, and A may be what it is called now
    happen(pending, disk, A, at=103)
    assert pending.next_pass(106, look=disk.look) is None
    both = Pass(frozenset({A, B}), False, frozenset())
    assert pending.next_pass(108, look=disk.look) == both


def test_something_gone_is_not_remembered_for_ever(pending, disk) -> None:
    happen(pending, disk, B, at=100)
    for second in range(100, 160):
        disk[A] = (second, 1)
        happen(pending, disk, A, at=second)  # a recording that never ends
        due = pending.next_pass(second + 0.5, look=disk.look)
        assert due is None
    due = pending.next_pass(100 + MAX_MOVE_WAIT, look=disk.look)
    assert due == Pass(frozenset({B}), False, frozenset({A}))


def test_what_has_rested_waits_a_little_with_something_gone_for_a_move_to_be_one_pass(
    pending, disk
) -> None:
    third = Path("/films/c.mp4")
    disk |= {A: (10, 1), third: (10, 1)}
    happen(pending, disk, A, at=100)
    happen(pending, disk, B, at=100)
    happen(pending, disk, third, at=104)
    assert pending.next_pass(106, look=disk.look) is None
    assert pending.next_pass(109, look=disk.look) == Pass({A, B, third}, False, frozenset())


def test_something_gone_is_held_while_a_pass_is_made_for_something_else(pending, disk) -> None:
    third = Path("/films/c.mp4")
    disk |= {A: (10, 1), third: (10, 1)}
    happen(pending, disk, A, at=100)
    happen(pending, disk, B, at=100)
    happen(pending, disk, third, at=108)
    due = pending.next_pass(110, look=disk.look)
    assert due == Pass(frozenset({A}), False, frozenset({B, third}))


def test_a_pass_that_could_not_be_made_is_tried_again_after_ever_longer_pauses(pending) -> None:
    pending.note_everything()
    now, pauses = 100.0, []
    for _ in range(6):
        pending.postpone(now)
        pause = next(n for n in range(1000) if pending.everything_is_due(now + n))
        pauses.append(pause)
        now += pause
    assert pauses == [5, 10, 20, 40, MAX_RETRY_DELAY, MAX_RETRY_DELAY]


def test_after_a_pass_that_was_made_pauses_begin_short_again(pending, disk) -> None:
    pending.note_everything()
    for now in (100, 105, 115):
        pending.postpone(now)
    pending.finish(pending.next_pass(200, look=disk.look))
    pending.note_everything()
    pending.postpone(300)
    assert pending.next_pass(304, look=disk.look) is None
    assert pending.next_pass(305, look=disk.look) is not None


def folders_of(*due, there, roots=ROOTS):
    paths = frozenset(Path(path) for path in due)
    wanted = Pass(paths, everything=False, deferred=frozenset())
    present = {Path(folder) for folder in there}
    return [str(path) for path in wanted.folders(roots, is_folder=present.__contains__)]


def test_a_pass_goes_over_the_folder_of_what_has_changed() -> None:
    there = ["/films", "/films/x", "/films/y"]
    assert folders_of("/films/x/a.mp4", there=there) == ["/films/x"]


def test_a_move_between_two_folders_is_one_pass_over_both() -> None:
    there = ["/films", "/films/x", "/films/y"]
    assert folders_of("/films/x/a.mp4", "/films/y/b.mp4", there=there) == ["/films/x", "/films/y"]


def test_a_new_folder_is_passed_over_itself() -> None:
    assert folders_of("/films/x", there=["/films", "/films/x"]) == ["/films/x"]


def test_of_a_folder_that_went_the_one_above_is_passed_over() -> None:
    there = ["/films", "/films/x"]
    assert folders_of("/films/x/y/z", "/films/x/y/a.mp4", there=there) == ["/films/x"]


def test_of_folders_in_each_other_only_the_outermost_is_passed_over() -> None:
    there = ["/films", "/films/x", "/films/x/y"]
    assert folders_of("/films/x/y/a.mp4", "/films/x/b.mp4", there=there) == ["/films/x"]


def test_no_pass_goes_above_a_watched_folder_even_when_that_went() -> None:
    assert folders_of("/films/x/a.mp4", there=["/"]) == ["/films"]


def test_a_single_file_that_is_watched_is_passed_over_by_name() -> None:
    film = Path("/films/a.mp4")
    assert folders_of(film, there=["/films"], roots={film}) == ["/films/a.mp4"]


def test_a_pass_over_everything_goes_over_what_is_watched() -> None:
    wanted = Pass(frozenset({A}), everything=True, deferred=frozenset())
    roots = [Path("/films"), Path("/more/b.mp4")]
    assert wanted.folders(roots, is_folder=lambda _: True) == tuple(roots)


@pytest.mark.parametrize(
    ("path", "is_folder", "concerns"),
    [
        ("/films/a.mp4", False, True),
        ("/films/x/A.MKV", False, True),
        ("/films/x", True, True),
        ("/films/a.en.srt", False, True),
        ("/films/x/A.VTT", False, True),
        ("/films/.a.srt", False, False),
        ("/films/a.txt", False, False),
        ("/films/a.mp4.part", False, False),
        ("/films/.a.mp4", False, False),
        ("/films/.x/a.mp4", False, False),
        ("/films/.x", True, False),
        ("/films/@eaDir/a.mp4", False, False),
        ("/films", True, False),
        ("/elsewhere/a.mp4", False, False),
        ("/filmstrip/a.mp4", False, False),
    ],
)
def test_only_videos_subtitles_and_folders_that_are_indexed_wake_the_watch(
    path, is_folder, concerns
) -> None:
    assert concerns_index(Path(path), is_folder=is_folder, roots=ROOTS) is concerns


def test_what_is_watched_by_name_may_have_any_name() -> None:
    given = frozenset({Path("/x/.hidden"), Path("/x/film.dat")})
    assert concerns_index(Path("/x/.hidden/a.mp4"), is_folder=False, roots=given)
    assert concerns_index(Path("/x/film.dat"), is_folder=False, roots=given)
    assert not concerns_index(Path("/x/other.mp4"), is_folder=False, roots=given)


def test_two_looks_at_a_folder_tell_what_came_went_and_changed() -> None:
    gone, same, changed, new = (f"/films/{name}.mp4" for name in "abcd")
    before = {gone: (1, 1), same: (2, 2), changed: (3, 3)}
    after = {same: (2, 2), changed: (3, 4), new: (1, 1)}
    assert changes(before, after) == {gone, changed, new}
    assert changes(after, after) == frozenset()


def failed(path, error="broken"):
    return FileProblem(Path(path), error)


def test_a_failure_is_told_once() -> None:
    told = ReportedFailures()
    assert told.new([failed(A)], below=[Path("/films")]) == (failed(A),)
    assert told.new([failed(A), failed(B)], below=[Path("/films")]) == (failed(B),)


def test_a_failure_is_told_again_when_the_reason_is_another() -> None:
    told = ReportedFailures()
    told.new([failed(A)], below=[Path("/films")])
    again = failed(A, "vanished")
    assert told.new([again], below=[Path("/films")]) == (again,)


def test_a_failure_that_was_mended_is_told_when_it_comes_back() -> None:
    told = ReportedFailures()
    told.new([failed(A)], below=[Path("/films")])
    told.new([], below=[Path("/films")])
    assert told.new([failed(A)], below=[Path("/films")]) == (failed(A),)


def test_a_pass_elsewhere_forgets_no_failure() -> None:
    told = ReportedFailures()
    told.new([failed(A)], below=[Path("/films")])
    told.new([], below=[Path("/more")])
    assert told.new([failed(A)], below=[Path("/films")]) == ()


@pytest.mark.parametrize("name", ["settle", "poll", "recheck"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_times_that_make_no_sense_are_refused(name, seconds) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is .*; give at least 0.1"):
        WatchSettings(**{name: seconds})
