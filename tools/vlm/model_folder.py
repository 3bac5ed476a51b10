"""The folder that a model or an adapter is loaded from: found, checked before anything is read, and hashed."""

from __future__ import annotations

import hashlib
import importlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.hub import cached_first

if TYPE_CHECKING:
    from geosleuth.indexes.backend import Backend

# No ".bin", ".pt" or ".py": neither pickles nor a repository's own code are ever run.
_FETCHED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
_HASHED_AT_ONCE = 1 << 24  # bytes; hashing lets other threads run meanwhile, and a disk wants more than one reader
_HASH_DIGITS = 12
_WIDEST_HEADER = 100_000_000  # bytes; the format's own limit
_OTHER_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.gguf")


@dataclass(frozen=True)
class ModelFolder:
    """A folder whose configuration and safetensors files are there and whole."""

    spec: str  # as the user wrote it
    name: str  # for records: a folder's own name, without those around it
    path: Path
    files: tuple[Path, ...]  # safetensors
    stamp: int  # ns; when the weights or the configuration last changed: a folder written anew is another model
    commit: str | None = None  # of the hub

    @cached_property
    def n_parameters(self) -> int:
        """Of all tensors in the files."""
        return sum(_elements(entry["shape"]) for file in self.files for entry in _header(file).values())

    @cached_property
    def digest(self) -> str:
        """Twelve digits that name these weights: the hub's commit, or a SHA-256 over the files."""
        if self.commit:
            return self.commit[:_HASH_DIGITS]
        with ThreadPoolExecutor(max_workers=4) as pool:
            digests = list(pool.map(_sha256, self.files))
        return hashlib.sha256(b"".join(digests)).hexdigest()[:_HASH_DIGITS]


def open_model_folder(part: Backend) -> ModelFolder:
    """Find the folder of a base: on this machine, or fetched from the hub if it is not.

    Raises:
        InputError: It cannot be had, or lacks its configuration or whole safetensors weights.
    """
    return _opened(part, "config.json", "model.safetensors", "a vision-language model")


def open_adapter_folder(part: Backend) -> ModelFolder:
    """As `open_model_folder`, for LoRA weights."""
    return _opened(part, "adapter_config.json", "adapter_model.safetensors", "a LoRA adapter")


def config_folder(part: Backend) -> Path:
    """Find the folder that holds the configuration; weights are not fetched.

    Raises:
        InputError: There is none.
    """

    def found() -> Path:
        folder, _ = _place(part, "a model", ("*.json",))
        _require(folder, "config.json", "a model")
        return folder

    return found() if part.base == "dir" else cached_first(found)


def _opened(part: Backend, config: str, weights: str, what: str) -> ModelFolder:
    def found() -> ModelFolder:
        folder, commit = _place(part, what, _FETCHED)
        _require(folder, config, what)
        files = _weights(folder, weights, what)
        for file in files:
            _header(file)
        stamp = max(file.stat().st_mtime_ns for file in (*files, *folder.glob("*.json")))
        return ModelFolder(str(part), part.name if commit else folder.resolve().name, folder, files, stamp, commit)

    return found() if part.base == "dir" else cached_first(found)


def _place(part: Backend, what: str, patterns: tuple[str, ...]) -> tuple[Path, str | None]:
    if part.base == "dir":
        folder = Path(part.name).expanduser()
        if not folder.is_dir():
            raise InputError(what, f"no such folder: {folder}", "Name the folder that holds its config and weights.")
        return folder, None
    hub = import_vlm("huggingface_hub")
    try:
        folder = Path(hub.snapshot_download(part.name, revision=part.detail, allow_patterns=list(patterns)))
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        raise InputError(
            f"{what} {part.name}",
            f"none that can be had ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
            "Check the name; load it once with a connection; or name a folder with its files: dir:PATH.",
        ) from error
    return folder, folder.name


def _require(folder: Path, config: str, what: str) -> None:
    if not (folder / config).is_file():
        other = {"config.json": "adapter_config.json", "adapter_config.json": "config.json"}[config]
        found = f"{folder} without {config}"
        remedy = "Name the folder that save_pretrained wrote."
        if (folder / other).is_file():
            found += f" (with {other})"
            remedy = (
                "An adapter goes behind its base: dir:BASE+dir:ADAPTER."
                if config == "config.json"
                else "This is a whole model: name it as the base, without a plus sign before it."
            )
        raise InputError(what, found, remedy)


def _weights(folder: Path, name: str, what: str) -> tuple[Path, ...]:
    if (folder / name).is_file():
        return (folder / name,)
    index = folder / f"{name}.index.json"
    if not index.is_file():
        others = [path.name for pattern in _OTHER_WEIGHTS for path in sorted(folder.glob(pattern))]
        found = f"{folder} without {name}" + (f", but with {others[0]}" if others else "")
        remedy = (
            "Other formats may run code when they are read: convert them with save_pretrained on a machine that may, "
            "or name a release with safetensors."
            if others
            else "Copy or fetch the weights again."
        )
        raise InputError(f"{what} with its weights as safetensors", found, remedy)
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"a list of weights in {index}", f"an unreadable one ({error})", "Copy it again.") from error
    missing = [one for one in names if Path(one).name != one or not (folder / one).is_file()]
    if missing:
        raise InputError(
            f"all {len(names)} files of weights in {folder}",
            f"{len(missing)} missing, such as {missing[0]}",
            "Copy or fetch the missing files.",
        )
    return tuple(folder / one for one in names)


def _header(file: Path) -> dict[str, dict[str, list[int]]]:
    """Read what a safetensors file holds, and compare the length that it promises with the one that it has.

    Raises:
        InputError: It is cut off or no such file.
    """
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(_WIDEST_HEADER, size - 8):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        for name, entry in header.items():
            _check_entry(name, entry)
        promised = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"weights in {file}", f"no whole safetensors file ({error})", "Copy or fetch it again."
        ) from error
    if promised != size:
        found = f"{size} of {promised} bytes"
        raise InputError(f"the whole file {file}", found, "It is cut off or damaged: copy or fetch it again.")
    return dict(header)


def _check_entry(name: str, entry: Any) -> None:
    offsets, shape = (entry.get(key) if isinstance(entry, dict) else None for key in ("data_offsets", "shape"))
    for key, found in (("data_offsets", offsets), ("shape", shape)):
        if not isinstance(found, list) or not all(type(one) is int and one >= 0 for one in found):
            raise ValueError(f"{name[:60]!r} has no {key}")
    if offsets is None or len(offsets) != 2:
        raise ValueError(f"{name[:60]!r} has no data_offsets")


def _elements(shape: list[int]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product


def _sha256(file: Path) -> bytes:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_HASHED_AT_ONCE):
            digest.update(block)
    return digest.digest()


def import_vlm(name: str) -> Any:
    """Import a package that the base install does not bring.

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"the package {name}",
            f"none that can be imported ({error})",
            "Install it with `pip install 'geosleuth[vlm]'`.",
        ) from error
