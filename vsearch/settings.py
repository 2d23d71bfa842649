"""Settings that every command has: folders and model, from flags and environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from machine.presence import is_folder
from vsearch.errors import SettingError
from vsearch.startup import HOME_VARIABLE, require_current_folder, usual_home

if TYPE_CHECKING:
    from catalog import Address

# The page runs in a process of Streamlit's, which passes no flags on: its settings travel in these.
_PAGE_CATALOG = "VSEARCH_UI_CATALOG"
_PAGE_MODEL = "VSEARCH_UI_MODEL"
TOKEN_VARIABLE = "VSEARCH_UI_TOKEN"  # for the page; unlike a flag, other users cannot see it


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders, and the model with its device.

    Attributes:
        home: the folder that holds all state of this user.
        catalog: where the catalog is; a folder inside `home` unless another is given.
        model: the model asked for; None means the catalog's own, else the default.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
    """

    home: Path
    catalog: Address
    model: str | None = None
    device: str = "auto"
    precision: str = "auto"

    @property
    def catalog_flags(self) -> tuple[str | Path, ...]:
        """The flags with which a command works on this catalog; none for the usual one."""
        if self.catalog == self.home / "catalog":
            return ()
        named = self.catalog if isinstance(self.catalog, Path) else str(self.catalog)
        return "--catalog", named

    @property
    def model_anywhere(self) -> str | None:
        """The model for a process that stands in another folder: a folder by its whole path."""
        if self.model is not None and is_folder(Path(self.model)):
            return str(Path(self.model).absolute())
        return self.model

    @property
    def secrets(self) -> dict[str, str]:
        """What a process that works on the same catalog gets by its environment alone.

        Other users can see the flags of a process.
        """
        return {} if isinstance(self.catalog, Path) else self.catalog.environment


def read_settings(
    environment: Mapping[str, str],
    *,
    catalog: str | Path | None = None,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Settings:
    """Join the flags of one command with the environment; a flag wins.

    Paths come back absolute, so that a later change of the working folder changes nothing.
    """
    chosen = environment.get(HOME_VARIABLE)
    folder = None if catalog is None or is_url(catalog) else _absolute(Path(catalog))
    home = _absolute(Path(chosen)) if chosen else _usual_home(instead=folder)
    return Settings(
        home=home,
        catalog=_database(str(catalog), home=home)
        if is_url(catalog)
        else folder or home / "catalog",
        model=model,
        device=device,
        precision=precision,
    )


def is_url(catalog: str | Path | None) -> bool:
    """Whether a catalog is given as a URL, and not as a folder."""
    return isinstance(catalog, str) and "://" in catalog


def _database(url: str, *, home: Path) -> Address:
    from catalog import DatabaseUrl

    try:
        return DatabaseUrl.parse(url, views=home / "views")
    except ValueError as error:
        raise SettingError(str(error)) from error


def _absolute(path: Path) -> Path:
    try:
        return require_current_folder(path.expanduser()).absolute()
    except ValueError as error:
        raise SettingError(str(error)) from error
    except RuntimeError as error:
        raise SettingError(
            f"{path} cannot be found, as no such home folder is known; give the whole path"
        ) from error


def _usual_home(*, instead: Path | None) -> Path:
    """The platform's folder for data; `instead`, where this user has none."""
    usual = usual_home()
    if usual is not None:
        return Path(usual)
    if instead:
        return instead
    raise SettingError(
        f"this user has no home folder to keep the catalog in; set {HOME_VARIABLE} to a folder for"
        " it"
    )


def page_environment(settings: Settings, *, token: str | None = None) -> dict[str, str]:
    """The settings as environment variables for the process of the page, and its token."""
    variables = {
        HOME_VARIABLE: str(settings.home),
        _PAGE_CATALOG: str(settings.catalog),
        **settings.secrets,
    }
    chosen = {_PAGE_MODEL: settings.model_anywhere, TOKEN_VARIABLE: token}
    return variables | {name: value for name, value in chosen.items() if value}


def read_page_settings(environment: Mapping[str, str]) -> Settings:
    """The settings from the variables of `page_environment`.

    Raises SettingError without its variables: then Streamlit alone serves, to every web page.
    """
    catalog = environment.get(_PAGE_CATALOG)
    if not catalog:
        raise SettingError(
            "this page was not started by `vsearch ui`, which keeps other web pages out of the "
            "library; end it, and run `vsearch ui`"
        )
    return read_settings(
        environment,
        catalog=catalog,
        model=environment.get(_PAGE_MODEL),
    )
