"""What decides an answer beside the photo: an answer of an earlier run counts only where all of it is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.paths import absolute

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent

# Where things are kept, and for how long: no answer depends on it. All other settings count, new ones too.
_IRRELEVANT = {"cache_dir", "cases_dir", "retention_days", "audit_log"}


def fingerprint(agent: Agent) -> str:
    """Hash version, settings, the files that they name, the index's manifest, and the names of planner and tools.

    Weights count by their spec alone (they are gigabytes), and a Milvus collection by its name: what changes inside
    them is not seen.
    """
    settings = agent.settings
    facts: dict[str, Any] = {
        "version": version("geosleuth"),
        "settings": settings.model_dump(mode="json", exclude=_IRRELEVANT),
        "planner": agent.planner_name,
        "tools": {name: _qualified(tool.function) for name, tool in agent.tools.items()},
        "files": [_file_sha256(path) for path in _named_files(agent)],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def photo_key(sha256: str, deciding: str, hints: Sequence[str], name: str | None) -> str:
    """Name a photo's answer; `name` is the file's, where predictions are looked up by it."""
    facts = json.dumps([sha256, deciding, list(hints), name])
    return hashlib.sha256(facts.encode()).hexdigest()


def goes_by_name(agent: Agent) -> bool:
    """Whether the file's name decides: recorded predictions are found by it."""
    return parse_backend(agent.settings.backends.prior).base == "file"


def _qualified(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def _named_files(agent: Agent) -> list[Path]:
    settings = agent.settings
    prior = parse_backend(settings.backends.prior)
    files = [Path(prior.name).expanduser()] if prior.base == "file" else []
    named = (settings.locatability_weights, settings.rerank_gate, settings.calibration)
    files += [path.expanduser() for path in named if path is not None]
    if settings.index is not None and not settings.index.startswith("milvus:"):
        from geosleuth.indexes.gallery.manifest import MANIFEST

        files.append(absolute(settings.index, "an index") / MANIFEST)  # it holds the checksums of all the others
    return files


def _file_sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        found = f"{path}: {error.strerror}"
        raise InputError("a file that the settings name", found, "Correct the settings.") from error
