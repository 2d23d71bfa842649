"""A real small library: films, a catalog, and a tiny X-CLIP whose random weights come by seed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from media import write_video
from vsearch import wiring
from vsearch.settings import Settings, page_environment
from xclip_core.checkpoint import save_checkpoint
from xclip_core.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model import XCLIP
from xclip_core.preprocess import FrameProcessor
from xclip_core.tokenizer import train_tokenizer

PAGE = Path(__file__).parents[2] / "ui" / "app.py"
SMALL = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-xclip")
    tokenizer = train_tokenizer(["a film that gets brighter"], vocabulary_size=520, max_length=16)
    text = TextConfig(vocab_size=tokenizer.vocabulary_size, max_position_embeddings=16, **SMALL)
    vision = VisionConfig(
        mit_hidden_size=16,
        mit_intermediate_size=32,
        mit_num_attention_heads=2,
        image_size=32,
        patch_size=16,
        num_frames=4,
        **SMALL,
    )
    config = XCLIPConfig(text=text, vision=vision, projection_dim=16, prompt_num_attention_heads=2)
    processor = FrameProcessor(
        shortest_edge=32,
        crop_size=32,
        interpolation="bilinear",
        rescale_factor=1 / 255,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )
    torch.manual_seed(0)
    save_checkpoint(folder, model=XCLIP(config), tokenizer=tokenizer, processor=processor)
    return folder


Film = Callable[..., Path]


@pytest.fixture(scope="session")
def film() -> Film:
    """Write a film of `seconds`, 4 pictures in each, in which a bar moves over a tinted ground."""

    def write(path: Path, *, seconds: float, tint: int = 90) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = []
        for number in range(round(seconds * 4)):
            frame = np.full((48, 64, 3), tint, np.uint8)
            frame[:, number % 60 : number % 60 + 4] = (250 - tint, tint, 30)
            frames.append(frame)
        write_video(path, frames, frame_rate=4)
        return path

    return write


def index_into(settings: Settings, path: Path) -> None:
    options = wiring.IndexOptions(workers=1)
    wiring.index_library([path], settings=settings, options=options, report=lambda _event: None)


def two_films(folder: Path, film: Film) -> Path:
    film(folder / "morning.mp4", seconds=20, tint=40)
    film(folder / "evening.mkv", seconds=9, tint=170)
    return folder


def settings_in(home: Path, *, model: Path) -> Settings:
    return Settings(home=home, catalog=home / "catalog", model=str(model), device="cpu")


@pytest.fixture(scope="session")
def lasting_settings(tmp_path_factory: pytest.TempPathFactory, model: Path, film: Film) -> Settings:
    """Of a library that is indexed once, for tests that change nothing."""
    home = tmp_path_factory.mktemp("lasting")
    settings = settings_in(home, model=model)
    index_into(settings, two_films(home / "videos", film))
    return settings


@pytest.fixture
def settings(tmp_path: Path, model: Path) -> Settings:
    return settings_in(tmp_path, model=model)


@pytest.fixture
def videos(tmp_path: Path, film: Film) -> Path:
    return two_films(tmp_path / "videos", film)


@pytest.fixture
def index(settings: Settings) -> Callable[[Path], None]:
    return partial(index_into, settings)


@pytest.fixture
def library(videos: Path, index: Callable[[Path], None]) -> Path:
    """The folder of videos, indexed."""
    index(videos)
    return videos


class Page:
    """The page in one window, and what a person does with it."""

    def __init__(self, app: AppTest) -> None:
        self.app = app

    def look_again(self) -> "Page":
        self.app.run()
        return self

    def ask(self, sentence: str) -> "Page":
        self.app.text_input(key="q").set_value(sentence).run()
        return self

    def press(self, label: str) -> "Page":
        """The first button that is called so."""
        next(button for button in self.app.button if button.label == label).click().run()
        return self

    @property
    def buttons(self) -> list[str]:
        return [button.label for button in self.app.button]

    @property
    def pieces(self) -> list[str]:
        """The HTML of a page that went well, without its style sheet."""
        assert not self.app.exception
        return [piece.value for piece in self.app.html if not piece.value.startswith("<style")]

    @property
    def words(self) -> str:
        return "\n".join(self.pieces)

    @property
    def moments(self) -> list[str]:
        return [piece for piece in self.pieces if 'class="vs-moment"' in piece]

    @property
    def pictures(self) -> int:
        assert not self.app.exception
        return len(self.app.image)

    @property
    def players(self) -> list[Any]:
        assert not self.app.exception
        return [player.proto for player in self.app.get("video")]


@pytest.fixture
def page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Page]:
    """Open the page as a browser does, with the parameters of its URL (`in_` for `in`)."""

    def visit(**url: str) -> Page:
        for name, value in page_environment(settings).items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        app = AppTest.from_file(str(PAGE), default_timeout=60)
        for name, value in url.items():
            app.query_params[name.rstrip("_")] = value
        return Page(app.run())

    return visit
