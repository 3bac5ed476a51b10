"""A JSON file of a known form, read with errors for people."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from geosleuth.indexes.errors import InputError

Form = TypeVar("Form", bound=BaseModel)


def read_json(path: str | Path, form: type[Form], wanted: str, remedy: str) -> Form:
    """Read a file.

    Args:
        path: The file.
        form: What it must hold.
        wanted: The same for people, as a noun phrase.
        remedy: How to get one.

    Raises:
        InputError: It is missing, or holds something else.
    """
    try:
        return form.model_validate_json(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise InputError(wanted, f"{path}: {error.strerror or error}", remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(wanted, f"{path} ({where}: {first['msg'].lower()})", remedy) from error
