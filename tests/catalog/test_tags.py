"""Tags: stored, counted, replaced and removed; and questions to what has one."""

import pytest

from catalog import Tag, TagCount, UnknownTagError, VideoFilter


def tag(name, video, start=0.0, end=8.0):
    return Tag(name, video, start, end, "likely", 0.5)


@pytest.fixture
def three(shelf):
    """Three videos with three clips of 8 s each, which begin every 4 s."""
    return [shelf.add(f"{n}.mp4", clips=3, seed=n) for n in range(3)]


@pytest.fixture
def found(catalog, query):
    """The ids of the clips that meet conditions."""

    def ask(**conditions):
        matches = catalog.nearest_clips(query, limit=99, videos=VideoFilter(**conditions))
        return sorted(match.clip_id for match in matches)

    return ask


def test_names_are_counted_in_alphabetical_order(three, catalog):
    one, other, _ = three
    catalog.tags.replace(
        ["dog", "Cat"], [tag("dog", one), tag("dog", one, 12.0, 14.5), tag("dog", other)]
    )
    catalog.tags.replace(["Cat"], [tag("Cat", other)])
    assert catalog.tags.counted() == (TagCount("Cat", 1, 1, 8.0), TagCount("dog", 2, 3, 18.5))
    assert catalog.status().tags == 2


def test_the_same_names_are_replaced_whatever_their_case_and_no_others(three, catalog):
    one, other, _ = three
    catalog.tags.replace(["Straße", "cat"], [tag("Straße", one), tag("cat", one)])
    catalog.tags.replace(["STRASSE"], [tag("STRASSE", other, 0.0, 4.0)])
    assert [count.name for count in catalog.tags.counted()] == ["cat", "STRASSE"]
    catalog.tags.replace(["Cat"], [])
    assert catalog.tags.counted() == (TagCount("STRASSE", 1, 1, 4.0),)


def test_a_name_is_removed_and_an_unknown_one_is_refused(three, catalog):
    catalog.tags.replace(["dog", "cat"], [tag("dog", three[0]), tag("cat", three[0])])
    assert catalog.tags.remove(["DOG"]) == 1
    assert [count.name for count in catalog.tags.counted()] == ["cat"]
    with pytest.raises(UnknownTagError, match="no tag 'dog'; the tags are cat"):
        catalog.tags.remove(["cat", "dog"])
    assert [count.name for count in catalog.tags.counted()] == ["cat"]


def test_tags_go_with_their_video(three, catalog, shelf):
    catalog.tags.replace(["dog"], [tag("dog", three[0]), tag("dog", three[1])])
    catalog.remove_files([shelf.location("0.mp4").path])
    assert catalog.tags.counted() == (TagCount("dog", 1, 1, 8.0),)
    catalog.tags.replace(["dog"], [tag("dog", three[0]), tag("dog", three[2])])
    assert catalog.tags.counted() == (TagCount("dog", 1, 1, 8.0),)


def test_a_change_of_tags_is_a_change_of_the_catalog(three, catalog):
    before = catalog.version
    catalog.tags.replace(["dog"], [tag("dog", three[0])])
    assert catalog.version != before


def test_questions_to_what_has_a_tag_or_has_not(three, catalog, found):
    one, other, _ = three  # clips 1 to 3, 4 to 6, 7 to 9
    catalog.tags.replace(["dog", "cat"], [tag("dog", one), tag("dog", other, 8.0, 16.0)])
    catalog.tags.replace(["cat"], [tag("cat", other, 9.0, 10.0)])
    assert found(tags=("DOG",)) == [1, 2, 5, 6]
    assert found(tags=("cat",)) == [5, 6]
    assert found(tags=("dog", "cat")) == [1, 2, 5, 6]
    assert found(without_tags=("dog",)) == [3, 4, 7, 8, 9]
    assert found(tags=("dog",), without_tags=("cat",)) == [1, 2]
    assert found(tags=("dog",), inside=("1.mp4",)) == [5, 6]


def test_a_question_to_an_unknown_tag_names_those_there_are(three, catalog, found):
    with pytest.raises(
        UnknownTagError, match="nor any other; `vsearch tag --labels FILE --write` makes some"
    ):
        found(tags=("dog",))
    catalog.tags.replace([], [tag(f"name {n:02}", three[0]) for n in range(25)])
    with pytest.raises(
        UnknownTagError, match=r"'dog'; the tags are name 00, .*name 19 and 5 more$"
    ):
        found(without_tags=("name 03", "dog"))
