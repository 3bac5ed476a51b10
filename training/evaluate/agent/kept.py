"""What an evaluation keeps on disk between runs: small JSON files, each there as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing

logger = logging.getLogger(__name__)
Form = TypeVar("Form", bound=BaseModel)
_DIGITS = 16  # of a photo's hash in a file's name, for people to find it by


def notes_folder(folder: Path) -> Path:
    """Make the folder.

    Raises:
        InputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"{folder}: {error.strerror}"
        raise InputError("a folder to keep notes in", found, "Name one that can be written.") from error
    return folder


def place(folder: Path, photo: str, facts: Mapping[str, Any]) -> Path:
    """Name the file of what was found in a photo.

    Args:
        folder: Of notes of this kind.
        photo: Its SHA-256.
        facts: All else that what is kept depends on, as JSON has it.
    """
    words = json.dumps([photo, facts], sort_keys=True)  # ASCII, whatever the facts quote
    return folder / f"{photo[:_DIGITS]}-{hashlib.sha256(words.encode()).hexdigest()[:32]}.json"


def read_kept(path: Path, form: type[Form]) -> Form | None:
    """Read what was kept; None where there is nothing, or nothing that can be used any more."""
    try:
        return form.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        logger.warning("%s cannot be used, and is made anew: %s", path, str(error).splitlines()[0])
        return None


def keep(path: Path, what: BaseModel) -> None:
    """Write it; where that fails the run goes on, and the next one finds it again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with appearing(path) as scratch:
            scratch.write_text(what.model_dump_json(), encoding="utf-8")
    except PydanticSerializationError:  # half a character, as a file's tag may hold: JSON cannot
        logger.debug("%s is not kept: it holds text that is no Unicode", path)
    except OSError as error:
        logger.warning("%s is not kept: %s", path, error.strerror)
