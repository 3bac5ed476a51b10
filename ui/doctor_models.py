"""The models behind the roles: what a spec resolves to, whether it is on this machine, and the command that gets it.

No weights are loaded and nothing is fetched. The one thing asked is a server that the settings name themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.backend import Backend, parse_backend
from geosleuth.indexes.encoders.encoder_folder import encoder_folder_at
from geosleuth.indexes.errors import InputError
from geosleuth.ui.doctor_endpoint import Listing, model_listing
from geosleuth.ui.doctor_role_files import about_files
from geosleuth.ui.doctor_weights import ADAPTER_CONFIG, CONFIG, adapter_base, architecture, hub_folder, weight_files

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings

GUIDE = "docs/models.md"
_EMBEDDED = {
    "planner": "a table of rules",
    "prior": "where photos are taken",
    "reading": "OCR with word tables",
    "locatability": "a score from text, outdoor classes and sharpness",
    "matching": "SIFT with MAGSAC",
    "pairwise": "the matcher's inliers decide",
    "gleam_x": "the matcher's verdict, explained by its inliers",
}
_EXTRA = {"retrieval": "encoders", "matching": "encoders"}  # of pyproject.toml; the other roles' is vlm
_IMAGE_TOWER = Backend("hf", "openai/clip-vit-large-patch14")  # what the package geoclip is built on, and has not
_KINDS = {
    "planner": ("vlm",),
    "prior": ("vlm", "clip"),
    "locatability": ("vlm", "segmenter"),
    "pairwise": ("vlm",),
    "gleam_x": ("vlm",),
}
_KIND_NAMES = {"vlm": "vision-language model", "clip": "CLIP", "segmenter": "segmenter"}


class Trouble(BaseModel):
    """Why a role would not run as it is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found: str
    remedy: str


class RoleModel(BaseModel):
    """A role that a model plays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    spec: str
    notes: tuple[str, ...]
    """What was found."""
    troubles: tuple[Trouble, ...]
    """Empty: nothing is missing, as far as can be told without loading it."""
    folder: str | None
    """Where the base's weights lie; None: on a server, or not on this machine."""
    weights_bytes: int | None
    """Of the base's files."""


@dataclass
class _Look:
    """What is gathered about one role."""

    role: str
    notes: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    folder: Path | None = None
    weights_bytes: int | None = None
    segmenter: Path | None = None  # its folder, where the model is one

    def trouble(self, found: str, remedy: str) -> None:
        self.troubles.append(Trouble(found=found, remedy=f"{remedy} {GUIDE}#{self.role}"))


def examine_models(settings: Settings) -> tuple[RoleModel, ...]:
    """Examine every role that is not played by what installs with geosleuth; each server is asked once."""
    listings: dict[str, Listing] = {}
    return tuple(
        _examine(role, parse_backend(spec), listings, settings)
        for role, spec in settings.backends
        if spec is not None and parse_backend(spec).base != "embedded"
    )


def role_lines(roles: Mapping[str, str], models: Sequence[RoleModel]) -> list[str]:
    """Write each role with its spec, and below it what was found."""
    by_role = {model.role: model for model in models}
    lines = []
    for role, spec in roles.items():
        lines.append(f"role       {role}: {spec}" + (f" ({_EMBEDDED[role]})" if spec == "embedded" else ""))
        if role in by_role:
            lines += [f"           {note}" for note in by_role[role].notes]
            for trouble in by_role[role].troubles:
                lines += [f"           NOT READY: {trouble.found}", f"           {trouble.remedy}"]
    return lines


def weights_bytes(models: Sequence[RoleModel]) -> int:
    """Add up the files of the roles' models; roles that share a base share its weights."""
    return sum({model.folder: model.weights_bytes or 0 for model in models}.values())


def _examine(role: str, backend: Backend, listings: dict[str, Listing], settings: Settings) -> RoleModel:
    look = _Look(role)
    _packages(look, backend)
    if backend.base == "openai":
        _server(look, backend, listings)
    elif backend.base == "file":
        _recorded(look, backend)
    elif backend.base == "geoclip":
        look.notes.append("GeoCLIP: its location gallery is in the package, its image tower is CLIP ViT-L/14")
        _weights(look, _IMAGE_TOWER)
    elif backend.base == "timm":
        _timm(look, backend)
    else:
        _model(look, backend)
    for adapter in backend.adapters:
        _adapter(look, adapter, backend)
    for words, remedy in about_files(role, backend, settings, look.segmenter):
        if remedy is None:
            look.notes.append(words)
        else:
            look.trouble(words, f"{remedy.rstrip('.')};")
    return RoleModel(
        role=role,
        spec=str(backend),
        notes=tuple(look.notes),
        troubles=tuple(look.troubles),
        folder=str(look.folder) if look.folder else None,
        weights_bytes=look.weights_bytes,
    )


def _packages(look: _Look, backend: Backend) -> None:
    missing = [name for name in _needed(look.role, backend) if find_spec(name) is None]
    if missing:
        extra = _EXTRA.get(look.role, "vlm")
        look.trouble(f"not installed: {', '.join(missing)}", f"`pip install 'geosleuth[{extra}]'`;")


def _needed(role: str, backend: Backend) -> Iterator[str]:
    """Modules that the role imports for the base, without which it cannot run."""
    if backend.base == "openai":
        yield "langchain_openai"
    if backend.base in ("hf", "dir", "geoclip"):
        yield from ("torch", "torchvision", "transformers")
    if backend.base == "timm":
        yield from ("torch", "timm")
    if backend.base == "geoclip":
        yield "geoclip"
    if backend.base in ("hf", "dir") and role not in _EXTRA:
        yield "accelerate"
    if backend.adapters:
        yield "peft"


def _server(look: _Look, backend: Backend, listings: dict[str, Listing]) -> None:
    url = (backend.detail or "").rstrip("/")
    if url not in listings:
        listings[url] = model_listing(url)
    listing = listings[url]
    if listing.trouble is not None:
        look.trouble(f"{listing.asked} was asked just now: {listing.trouble}", f"{listing.remedy.rstrip('.')};")
    elif backend.name in listing.models:
        look.notes.append(f"{listing.asked} was asked just now: it answers, and lists {backend.name}")
    else:
        names = ", ".join(listing.models[:8]) or "no model"
        look.trouble(
            f"{listing.asked} was asked just now: it answers, and lists {names}, not {backend.name}",
            "Name a listed one; an adapter has the name that its server was started with (`transformers serve` lists "
            "the hub's models alone, and runs folders too);",
        )


def _recorded(look: _Look, backend: Backend) -> None:
    path = Path(backend.name).expanduser()
    if path.is_file():
        look.notes.append(f"predictions recorded in {path}")
    else:
        look.trouble(f"no such file: {path}", "Name an existing CSV file: file:PATH[#MODEL];")


def _timm(look: _Look, backend: Backend) -> None:
    if any(find_spec(name) is None for name in ("torch", "timm")):
        return
    from timm.models import get_pretrained_cfg, is_model

    facts = get_pretrained_cfg(backend.name, allow_unregistered=True) if is_model(backend.name) else None
    if facts is None:
        look.trouble(f"timm has no model {backend.name}", "List the names: `timm.list_models()`;")
    elif facts.hf_hub_id:
        _weights(look, Backend("hf", facts.hf_hub_id))


def _model(look: _Look, backend: Backend) -> None:
    _weights(look, backend)
    if look.folder is None or look.role not in _KINDS or find_spec("transformers") is None:
        return
    from geosleuth.tools.vlm.load import model_kind

    try:
        kind = model_kind(str(Backend("dir", str(look.folder))))
    except InputError as error:
        look.trouble(f"wanted {error.wanted}, found {error.found}", f"{error.remedy.rstrip('.')};")
        return
    if kind not in _KINDS[look.role]:
        wanted = " or a ".join(_KIND_NAMES[one] for one in _KINDS[look.role])
        look.trouble(f"a {_KIND_NAMES[kind]}, where the role takes a {wanted}", "Name another model;")
    elif kind == "segmenter":
        look.segmenter = look.folder


def _weights(look: _Look, backend: Backend) -> None:
    folder = _folder(look, backend, CONFIG)
    if folder is None:
        return
    if encoder_folder_at(folder) is not None:
        look.notes.append(f"an encoder folder: {folder}")
        return
    files = weight_files(folder)
    if files.missing:
        found = (
            f"weights that are not whole: {len(files.missing)} file(s) missing in {folder}, {files.missing[0]} first"
        )
        look.trouble(found, f"{_get(backend)};")
    elif not files.names:
        also = ", only as pickle (*.bin), which is not read" if files.pickled else ""
        look.trouble(f"no weights as safetensors in {folder}{also}", f"{_get(backend)};")
    else:
        look.folder, look.weights_bytes = folder, files.size_bytes
        look.notes.append(f"{architecture(folder)}, weights of {files.size_bytes / 1e9:.1f} GB in {folder}")


def _adapter(look: _Look, adapter: Backend, base: Backend) -> None:
    folder = _folder(look, adapter, ADAPTER_CONFIG)
    if folder is None:
        return
    if not weight_files(folder).names:
        look.trouble(f"no adapter's weights as safetensors in {folder}", f"{_get(adapter)};")
        return
    made_for = adapter_base(folder)
    if made_for is None:
        look.notes.append(f"adapter {adapter}: it does not say which base it was made for")
    elif _last_name(made_for) == _last_name(base.name):
        look.notes.append(f"adapter {adapter}: made for {made_for}")
    elif base.base == "hf":
        look.trouble(f"the adapter {adapter} was made for {made_for}, not for {base.name}", "Name its own base;")
    else:  # a folder may have any name
        look.notes.append(
            f"adapter {adapter}: made for {made_for}; whether {base.name} is that, its name does not tell"
        )


def _folder(look: _Look, part: Backend, config: str) -> Path | None:
    """Where the part lies on this machine; None, with the trouble noted, where it does not."""
    if part.base == "hf":
        folder = hub_folder(part, config)
        if folder is None:
            remedy = f"{_get(part)} gets it now, otherwise the first photo waits for it;"
            look.trouble(f"{part.name} is not on this machine", remedy)
        return folder
    folder = Path(part.name).expanduser()
    if not (folder / config).is_file() and encoder_folder_at(folder) is None:
        look.trouble(f"no {config} in {folder}", "Name the folder that save_pretrained has written;")
        return None
    return folder


def _get(part: Backend) -> str:
    if part.base != "hf":
        return "Write the folder anew with save_pretrained"
    revision = f" --revision {part.detail}" if part.detail else ""
    return f"`hf download {part.name}{revision}`"


def _last_name(name: str) -> str:
    """Of ORG/NAME and of a path alike: mirrors and copies keep the model's own name."""
    return name.rstrip("/\\").replace("\\", "/").rpartition("/")[2].lower()
