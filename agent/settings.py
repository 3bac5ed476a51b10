"""Settings: an argument, else geosleuth.toml, else the environment (GEOSLEUTH_*), else the default."""

from __future__ import annotations

import contextlib
import difflib
import logging
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from geosleuth.indexes.backend import KEY_VARIABLE, parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.comparison_prompts import Strategy

logger = logging.getLogger(__name__)

FILE_NAME = "geosleuth.toml"
ENVIRONMENT_PREFIX = "GEOSLEUTH_"


def _as_path(value: object) -> object:
    """TOML has no path type: strings become paths, "~" the home folder."""
    return Path(value).expanduser() if isinstance(value, str) else value


_LaxPath = Annotated[Path, BeforeValidator(_as_path)]


class Backends(BaseModel):
    """Which backend plays each role: spec strings, see indexes/backend.py."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    planner: str = "embedded"  # spec; the embedded one is a table of rules
    prior: str = "embedded"  # spec of a VLM, a CLIP, `geoclip`, or `file:PATH[#MODEL]` of recorded predictions
    reading: str = "embedded"  # spec; the embedded one is OCR with word tables
    locatability: str = "embedded"  # spec of a VLM or an ADE20K segmenter; the embedded one is a transparent score
    retrieval: str | None = None  # spec of the image encoder; None = the one that the index was built with
    matching: str = "embedded"  # spec; the embedded one is SIFT with MAGSAC, hf: is a learned matcher
    pairwise: str = "embedded"  # spec of the VLM that compares candidates; the embedded judge counts inliers
    gleam_x: str = "embedded"  # spec of the VLM that explains matches; the embedded verdict is the matcher's


class Settings(BaseModel):
    """Everything a user may set. `None` means off, or the platform's own place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backends: Backends = Backends()  # a spec string per role
    index: str | None = None  # gallery to search: a folder, or milvus:COLLECTION@URI; None = nothing is retrieved
    locatability_weights: _LaxPath | None = None  # TSV of class weights for a segmenter; None = GeoReasoner's
    strategy: Strategy = "pairwise"  # how a VLM of the role pairwise compares candidates
    rerank_gate: _LaxPath | None = None  # JSON file of a measured gate: a strategy that harmed there is off; None = off
    calibration: _LaxPath | None = None  # JSON file by `geosleuth calibrate`; None = the one that ships
    prior_samples: Annotated[int, Field(ge=1, le=64)] | None = None  # replies per photo; None = scored where it can be
    vlm_max_pixels: Annotated[int, Field(ge=3136, le=12_845_056)] = 602_112  # px per image; 768 tokens of Qwen2.5-VL
    vlm_bits: Annotated[int, Field(ge=4, le=8, multiple_of=4)] | None = None  # weights of models run here; None = whole
    endpoint_timeout_s: Annotated[float, Field(gt=0)] = 60.0  # s per request to an openai: server
    endpoint_requests: Annotated[int, Field(ge=1)] = 500  # requests per photo to openai: servers, retries included
    turn_photos: bool = True  # photos that seem to lie on their side or head are turned upright
    max_steps: Annotated[int, Field(ge=1, le=100)] = 16  # tool calls per photo; the rules need 12 with an index
    max_seconds: Annotated[float, Field(gt=0)] = 120.0  # s per photo; no new tool is started after this
    max_repeats: Annotated[int, Field(ge=1)] = 1  # times that one call with the same arguments may run
    precision_cap_km: Annotated[float, Field(gt=0, le=5000)] | None = None  # km; answers are never finer; None = off
    cache_dir: _LaxPath | None = None  # folder for compiled tables; None = the platform's cache folder
    cases_dir: _LaxPath | None = None  # folder of the chat's cases; None = the platform's data folder
    retention_days: Annotated[int, Field(ge=1)] | None = None  # days until an untouched case is deleted; None = never
    audit_log: _LaxPath | None = None  # JSON-lines file, appended to: answers and case events; None = off
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"  # ISO 639: language of country names in answers


def load_settings(
    file: str | Path | None = None,
    *,
    arguments: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Resolve the settings from all four places.

    Args:
        file: A settings file; None looks for geosleuth.toml in the current folder, then in the platform's folder.
        arguments: Values that win over all others, by dotted key ("backends.prior"); None values are not given.
        environ: Stands in for os.environ.

    Raises:
        InputError: For a named file that is missing or not TOML, an unknown key, or a value of the wrong type.
    """
    environment = _from_environment(os.environ if environ is None else environ)
    path = find_settings_file(file)
    written = _read_toml(path) if path else {}
    given = {key: value for key, value in (arguments or {}).items() if value is not None}
    layers = [
        ("the environment", environment, False),
        (str(path), _flatten(written), True),
        ("the arguments", given, False),
    ]
    merged: dict[str, Any] = {}
    for source, values, strict in layers:
        _refuse_unknown_keys(values, source)
        _validated(values, source, strict=strict)  # each place on its own, so that the error names the right one
        merged.update(values)
    return _validated(merged, "the settings", strict=False)


def find_settings_file(file: str | Path | None = None) -> Path | None:
    """Return the settings file that counts, or None when there is none."""
    if file is not None:
        named = Path(file).expanduser()
        if not named.is_file():
            found = f"a folder: {named}" if named.is_dir() else f"no such file: {named}"
            raise InputError("a settings file", found, f"Name an existing {FILE_NAME}, or leave --settings out.")
        return named
    from platformdirs import user_config_dir

    for folder in (Path.cwd(), Path(user_config_dir("geosleuth"))):
        with contextlib.suppress(OSError):  # a settings folder that may not be read has no settings
            if (folder / FILE_NAME).is_file():
                return folder / FILE_NAME
    return None


def known_keys() -> tuple[str, ...]:
    """Return every settable key, dotted ("backends.prior", "max_steps")."""
    nested = tuple(f"backends.{role}" for role in Backends.model_fields)
    return nested + tuple(name for name in Settings.model_fields if name != "backends")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"TOML in {path}", f"text that is not: {error}", "Correct the line named.") from error
    except OSError as error:
        raise InputError(f"a readable {path}", str(error), "Allow reading it, or name another file.") from error


def _flatten(table: Mapping[str, Any]) -> dict[str, Any]:
    """{"backends": {"prior": x}, "max_steps": 3} -> {"backends.prior": x, "max_steps": 3}."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{inner}": entry for inner, entry in _flatten(value).items()})
        else:
            flat[key] = value
    return flat


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Read GEOSLEUTH_MAX_STEPS, GEOSLEUTH_BACKENDS_PRIOR and so on; empty values are not given."""
    by_variable = {ENVIRONMENT_PREFIX + key.upper().replace(".", "_"): key for key in known_keys()}
    values = {}
    for variable, value in environ.items():
        if variable in by_variable and value != "":
            values[by_variable[variable]] = value
        elif variable.startswith(ENVIRONMENT_PREFIX) and variable not in (*by_variable, KEY_VARIABLE):
            # Not an error: another program's variable must not stop this one.
            logger.warning("%s is no setting%s", variable, _nearest(variable, by_variable))
    return values


def _refuse_unknown_keys(values: Mapping[str, Any], source: str) -> None:
    keys = known_keys()
    for key in values:
        if key not in keys:
            remedy = f"Known keys: {', '.join(keys)}."
            raise InputError(f"known keys in {source}", f"{key!r}{_nearest(key, keys)}", remedy)


def _nearest(word: str, known: Mapping[str, str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _validated(values: Mapping[str, Any], source: str, *, strict: bool) -> Settings:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *path, leaf = key.split(".")
        (tree.setdefault(path[0], {}) if path else tree)[leaf] = value
    try:
        settings = Settings.model_validate(tree, strict=strict)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        found = f"{first['input']!r} ({first['msg'].lower()})"
        raise InputError(f"a valid {key} in {source}", found, f"Correct or remove {key}.") from error
    for role, spec in settings.backends:
        if spec is not None:
            parse_backend(spec, role=role)
    return settings
