"""CLIP's byte-pair encoding: the reference's ids on hostile strings, files, small vocabularies."""

import gzip
import json
import os
import random
import unicodedata
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from xclip_core.errors import InputError, TokenizerError
from xclip_core.inputs.tokenizer import END_MARK, START_MARK, Tokenizer, train_tokenizer

HAND_PICKED = [
    "",
    " ",
    "\t\n\r",
    "a photo of a cat",
    "A PHOTO OF A CAT!",
    "it's we're I've I'm you'll he'd can't",
    "IT'S WE'RE I'VE",
    "rock'n'roll 'tis the dogs' bowl",
    "don’t “quote” ‘me’ – or — else…",
    "&amp; &lt;b&gt; &quot;x&quot; &#39;y&#39; &nbsp;",
    "<b>bold</b> <br/>",
    "  leading and trailing  ",
    "many     spaces\t\ttabs\n\nlines",
    "non\u00a0breaking\u2003em\u3000ideographic\u2028line\u2029paragraph",
    "next\u0085line \x1c file \x1d group \x1e record \x1f unit",
    "zero\u200bwidth\u200cnon\u200djoiner\ufeffmark",
    "nul\x00 bell\x07 escape\x1b[31m del\x7f",
    "1234567890 3.14159 1,000,000 0x1F",
    "① ² ½ Ⅷ ٣ ३ 四",
    "email@example.com https://example.com/?q=a+b#c",
    "snake_case kebab-case CamelCase path/to/file.mp4 C:\\Users",
    "$100 €50 £20 ¥10 50% ±1 ×2 ÷3 ≈ ≠ ∞ √",
    "😀 😃 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ❤️ 1️⃣",
    "🦊jumps🐶over",
    "café cafe\u0301 naïve nai\u0308ve Å A\u030a Å",
    "ｆｕｌｌ　ｗｉｄｔｈ ﬁ ﬂ ligatures ǆ",
    "İstanbul ISPARTA ıi",
    "ΑΣ ΣΑΣ ὈΔΥΣΣΕΎΣ σς",
    "straße STRASSE ẞ",
    "Привет мир ЁЖ",
    "你好,世界 日本語 テスト 한국어 각",
    "مرحبا بالعالم \u202eright to left\u202c",
    "שָׁלוֹם",
    "नमस्ते दुनिया क्षत्रिय",
    "ไทย ภาษา",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤a̴̵̞l̨g̡o̢",
    "𝓂𝒶𝓉𝒽 𝕓𝕠𝕝𝕕 𝟙𝟚𝟛 𐍈 𓀀",
    "\U0010ffff \ue000 \ufffd \uffff",
    START_MARK,
    END_MARK,
    f"{START_MARK}{END_MARK}",
    f"a{END_MARK}b",
    f"a {START_MARK} b {END_MARK} c",
    f" {END_MARK} ",
    "<|ENDOFTEXT|> <|StartOfText|>",
    "<|endoftext| |endoftext|> <|end of text|>",
    "</w> a</w>b Ġ",
    "!!!!!!!! ........ ?!?!?! ---- ____ ((([[[{{{",
    "a" * 400,
    "word " * 100,
    "supercalifragilisticexpialidocious" * 5,
    "one two three " * 25 + "end",
    "é" * 100,
    "😀" * 60,
    "1" * 100,
    "!" * 300,
    " ".join("abcdefghijklmnopqrstuvwxyz" * 3),
    " ".join("x" * 74),
    " ".join("x" * 75),
    " ".join("x" * 76),
    "a.b.c.d.e",
    "l'été d'où j'ai",
    "O'Reilly's \"book\"",
    "s's't't",
    "''''s",
    "'S 'T 'LL",
]

_ALPHABETS = [
    (0x20, 0x7F),
    (0x00, 0x20),
    (0x80, 0x180),
    (0x300, 0x370),
    (0x370, 0x400),
    (0x400, 0x500),
    (0x590, 0x700),
    (0x900, 0x980),
    (0x1E00, 0x2000),
    (0x2000, 0x2070),
    (0x2100, 0x2200),
    (0x3040, 0x3100),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A4),
    (0xF900, 0xFFFE),
    (0x1D400, 0x1D800),
    (0x1F300, 0x1FAFF),
]


def _random_strings(count: int) -> list[str]:
    rng = random.Random(0)
    made = []
    for _ in range(count):
        blocks = rng.sample(_ALPHABETS, rng.randint(1, 4))
        characters = [chr(rng.randrange(*rng.choice(blocks))) for _ in range(rng.randint(1, 60))]
        made.append("".join(characters))
    return made


HOSTILE = HAND_PICKED + _random_strings(240)


@pytest.fixture(scope="module")
def merge_list() -> str:
    path = os.environ.get("VSEARCH_TEST_CLIP_BPE")
    if path is None:
        pytest.skip("VSEARCH_TEST_CLIP_BPE does not name CLIP's merge list")
    return gzip.decompress(Path(path).read_bytes()).decode("utf-8")


@pytest.fixture(scope="module")
def clip(merge_list: str) -> Tokenizer:
    return Tokenizer.from_merge_list(merge_list)


@pytest.fixture(scope="module")
def reference(
    clip: Tokenizer, tmp_path_factory: pytest.TempPathFactory
) -> transformers.CLIPTokenizer:
    """The published library's tokenizer, from two files and none of our steps."""
    folder = tmp_path_factory.mktemp("reference")
    clip.save(folder)
    merges = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    return transformers.CLIPTokenizer(
        vocab=vocabulary, merges=[tuple(merge.split(" ")) for merge in merges]
    )


def _rows(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    ids, mask = tokenizer.encode_batch(texts)
    return [row[kept.bool()].tolist() for row, kept in zip(ids, mask, strict=True)]


def test_there_are_enough_hostile_strings() -> None:
    assert len(set(HOSTILE)) >= 200


def test_hostile_strings_have_the_reference_ids(
    clip: Tokenizer, reference: transformers.CLIPTokenizer
) -> None:
    theirs = reference(HOSTILE, truncation=True, max_length=77)["input_ids"]
    ours = _rows(clip, HOSTILE)
    assert ours == theirs
    assert max(map(len, ours)) == 77


def test_a_batch_is_padded_as_the_reference_pads_it(
    clip: Tokenizer, reference: transformers.CLIPTokenizer
) -> None:
    theirs = reference(HOSTILE[:20], padding=True, truncation=True, max_length=77)
    ids, mask = clip.encode_batch(HOSTILE[:20])
    assert ids.tolist() == theirs["input_ids"]
    assert mask.tolist() == theirs["attention_mask"]


def test_known_ids_of_the_public_vocabulary(clip: Tokenizer) -> None:
    assert clip.vocabulary_size == 49408
    assert _rows(clip, ["", "a photo of a cat"]) == [
        [49406, 49407],
        [49406, 320, 1125, 539, 320, 2368, 49407],
    ]


def test_saved_files_load_again_from_either_form(clip: Tokenizer, tmp_path: Path) -> None:
    clip.save(tmp_path)
    whole = Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    parts = Tokenizer.load(tmp_path)
    assert _rows(whole, HOSTILE) == _rows(parts, HOSTILE) == _rows(clip, HOSTILE)


def test_an_older_tokenizer_file_with_merges_as_text_loads(
    small_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    small_tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["merges"] = [
        pair if isinstance(pair, str) else " ".join(pair) for pair in content["model"]["merges"]
    ]
    content["truncation"] = {"max_length": 5, "strategy": "LongestFirst", "stride": 0}
    path.write_text(json.dumps(content), encoding="utf-8")
    loaded = Tokenizer.load(tmp_path, max_length=24)
    assert _rows(loaded, HOSTILE) == _rows(small_tokenizer, HOSTILE)


def test_a_small_vocabulary_works_in_the_published_library(
    small_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    small_tokenizer.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert theirs.model_max_length == small_tokenizer.max_length
    encoded = theirs(HOSTILE, truncation=True)["input_ids"]
    assert _rows(small_tokenizer, HOSTILE) == encoded


def test_a_small_vocabulary_learns_the_words_that_it_sees(small_tokenizer: Tokenizer) -> None:
    known, unknown = _rows(small_tokenizer, ["a red circle moving left", "quartz"])
    assert len(known) == 7  # five words and two marks
    assert len(unknown) > 4


def test_training_depends_on_the_captions_and_not_on_their_order(tmp_path: Path) -> None:
    captions = [f"the {a} {b} runs" for a in ("quick", "lazy", "über") for b in ("fox", "dog")]
    train_tokenizer(captions, vocabulary_size=540).save(tmp_path / "one")
    train_tokenizer(reversed(captions), vocabulary_size=540).save(tmp_path / "two")
    one, two = ((tmp_path / name / "tokenizer.json").read_bytes() for name in ("one", "two"))
    assert one == two


def test_training_merges_the_commonest_pair_first() -> None:
    tokenizer = train_tokenizer(["ab ab ab xy"], vocabulary_size=515)
    assert [len(row) for row in _rows(tokenizer, ["ab", "xy"])] == [3, 4]


def test_a_vocabulary_too_small_for_the_bytes_is_refused() -> None:
    with pytest.raises(TokenizerError, match="514"):
        train_tokenizer(["a"], vocabulary_size=500)


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=[]), max_size=120))
def test_every_string_encodes_within_its_marks(text: str) -> None:
    tokenizer = _tiny()
    ids, mask = tokenizer.encode_batch([text])
    row = ids[0].tolist()
    assert row[0] == tokenizer.start_id
    assert row[-1] == tokenizer.end_id
    assert 2 <= len(row) <= 9
    assert mask.all()


def _tiny() -> Tokenizer:
    return train_tokenizer([], vocabulary_size=514, max_length=9)


def test_bytes_survive_so_that_nothing_is_unknown(small_tokenizer: Tokenizer) -> None:
    text = unicodedata.normalize("NFC", "żółw 🐢")
    (row,) = _rows(small_tokenizer, [text])
    assert small_tokenizer.end_id not in row[:-1]
    assert len(row) == 2 + len(text.replace(" ", "").encode())


def test_half_a_surrogate_pair_counts_as_the_replacement_character(
    small_tokenizer: Tokenizer,
) -> None:
    half, replaced = _rows(small_tokenizer, ["a \udce9 b", "a \ufffd b"])
    assert half == replaced


def test_a_long_text_is_cut_and_keeps_its_end_mark(small_tokenizer: Tokenizer) -> None:
    ids, mask = small_tokenizer.encode_batch(["red " * 200, "red"])
    assert ids.shape == mask.shape == (2, 24)
    assert ids.dtype == torch.int64
    assert ids[0, -1] == small_tokenizer.end_id
    assert mask.sum(dim=1).tolist() == [24, 3]
    assert (ids[1, 2:] == small_tokenizer.end_id).all()


def test_encoding_one_text_leaves_the_next_alone(small_tokenizer: Tokenizer) -> None:
    before = _rows(small_tokenizer, ["a green square"])
    small_tokenizer.encode_batch(["something else entirely", "x"])
    assert _rows(small_tokenizer, ["a green square"]) == before


def test_no_texts_at_all_are_refused(small_tokenizer: Tokenizer) -> None:
    with pytest.raises(InputError, match="at least one"):
        small_tokenizer.encode_batch([])


def test_a_folder_without_vocabulary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TokenizerError, match=r"merges\.txt"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "damaged"),
        ("[]", "JSON object"),
        ("{}", "no tokenizer file"),
        ('{"model": {"type": "WordPiece"}, "added_tokens": []}', "byte-pair"),
        (
            '{"added_tokens": [], "model": {"type": "BPE", "end_of_word_suffix": "</w>", '
            '"vocab": {"a": 0}, "merges": []}}',
            "fixed tokens are missing",
        ),
    ],
)
def test_a_damaged_or_foreign_vocabulary_is_refused(
    tmp_path: Path, content: str, named: str
) -> None:
    (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(TokenizerError, match=named):
        Tokenizer.load(tmp_path)


def _saved_vocabulary(tokenizer: Tokenizer, folder: Path) -> dict[str, int]:
    tokenizer.save(folder)
    content: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    return content


def test_the_end_mark_must_have_the_largest_id(small_tokenizer: Tokenizer, tmp_path: Path) -> None:
    vocabulary = _saved_vocabulary(small_tokenizer, tmp_path)
    vocabulary["later"] = max(vocabulary.values()) + 1
    with pytest.raises(TokenizerError, match="must be last"):
        Tokenizer(vocabulary, [])


def test_merges_that_the_vocabulary_does_not_know_are_refused(
    small_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    vocabulary = _saved_vocabulary(small_tokenizer, tmp_path)
    with pytest.raises(TokenizerError, match="do not fit"):
        Tokenizer(vocabulary, [("q", "zzz")])


def test_ids_that_are_not_numbers_are_refused(small_tokenizer: Tokenizer, tmp_path: Path) -> None:
    vocabulary: dict[str, object] = dict(_saved_vocabulary(small_tokenizer, tmp_path))
    vocabulary["a"] = "first"
    with pytest.raises(TokenizerError, match="whole numbers"):
        Tokenizer(vocabulary, [])  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["ab", "déjà", "犬", "e\u0301"])
def test_of_a_text_that_is_cut_the_letters_that_count_are_counted(
    small_tokenizer: Tokenizer, word: str
) -> None:
    text = " ".join([word] * 400)
    read = small_tokenizer.letters_read(text)
    assert read is not None
    assert 0 < read < len(text)
    ids = small_tokenizer.encode(text)
    word_end = len(text[:read]) + len(text[read:].split(" ")[0])
    assert list(small_tokenizer.encode(f"{text[:word_end]} other words")) == list(ids)
    assert list(small_tokenizer.encode(f"{text[: read - len(word) - 1]} other words")) != list(ids)


@given(text=st.text(max_size=60))
def test_of_a_text_that_is_short_every_letter_counts(text: str) -> None:
    tokenizer = train_tokenizer(["a"], vocabulary_size=530, max_length=1000)
    assert tokenizer.letters_read(text) is None
