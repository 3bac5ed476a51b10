"""Files of models on this machine, looked at and not read: folders, the hub's cache, adapters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosleuth.indexes.backend import Backend

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
_SHARDS = "model.safetensors.index.json"  # which file has which tensor, where the weights are in several


@dataclass(frozen=True)
class WeightFiles:
    """The weights in a folder."""

    names: tuple[str, ...]  # of those that are there
    missing: tuple[str, ...]  # named by the list of shards, and not there: a download that stopped
    size_bytes: int
    pickled: bool  # weights in a form that is never read


def weight_files(folder: Path) -> WeightFiles:
    """List the safetensors files of a model or an adapter."""
    wanted = {path.name for path in folder.glob("*.safetensors")}
    shards = _json(folder / _SHARDS).get("weight_map")
    if isinstance(shards, dict):
        wanted = {str(name) for name in shards.values()}
    # A link of the hub's cache whose file is gone does not exist.
    there = sorted(name for name in wanted if (folder / name).exists())
    return WeightFiles(
        names=tuple(there),
        missing=tuple(sorted(wanted.difference(there))),
        size_bytes=sum((folder / name).stat().st_size for name in there),
        pickled=any(folder.glob("*.bin")) or any(folder.glob("*.pt*")),
    )


def hub_folder(backend: Backend, config: str) -> Path | None:
    """Return the snapshot of ORG/NAME[@REV] in the hub's cache; None: it is not there. Nobody is asked."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(backend.name, config, revision=backend.detail)
    return Path(found).parent if isinstance(found, str) else None  # else a mark that the file is known not to exist


def architecture(folder: Path) -> str:
    """Return the class of transformers that config.json names; else its type."""
    config = _json(folder / CONFIG)
    named = config.get("architectures")
    if isinstance(named, list) and named:
        return str(named[0])
    return str(config.get("model_type") or config.get("architecture") or "a model of unknown kind")  # the last: timm's


def adapter_base(folder: Path) -> str | None:
    """Return the base that an adapter was trained on, a name on the hub or a path; None: it does not say."""
    name = _json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    return str(name) if name else None


def _json(path: Path) -> dict[str, Any]:
    """Read an object; {} where there is none, for what is damaged is found when it is loaded."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
