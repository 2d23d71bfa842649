import pytest

from search import PLAIN, SearchSettings, UnknownSettingError, settings_named


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("default", SearchSettings()),
        ("plain", PLAIN),
        ("moments", SearchSettings(moments=True, centring=False, confidence=False)),
        ("moments+centring", SearchSettings(moments=True, centring=True, confidence=False)),
        ("plain+moments+centring", SearchSettings(confidence=False)),
        ("default-moments", SearchSettings(moments=False)),
        ("default+prompts-centring", SearchSettings(prompts=True, centring=False)),
    ],
)
def test_a_name_says_which_parts_are_on(name: str, meant: SearchSettings) -> None:
    assert settings_named(name) == meant


@pytest.mark.parametrize("name", ["", "magic", "plain+magic", "default-", "moments+default"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownSettingError, match=r"give default, plain, or parts .* moments, c"):
        settings_named(name)
