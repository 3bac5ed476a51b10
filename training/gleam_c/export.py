"""A trained encoder as the folder that `dir:RUN` names: `indexes/encoders/encoder_folder.py` says what is in it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.encoders.encoder_folder import write_encoder
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.encoder_folder import EncoderFacts
    from geosleuth.training.gleam_c.shared_encoder import SharedEncoder


def export_encoder(encoder: SharedEncoder, folder: Path, *, about: str) -> EncoderFacts:
    """Write an encoder as it is now, in the place of one that `folder` may hold.

    It is written beside and then moved there, so `folder` is whole whenever it is there. A folder that is not empty
    cannot be replaced in one step by all systems: for the moment between two renamings there is none.

    Raises:
        InputError: The folder holds something else, or cannot be written.
    """
    if folder.exists() and not _is_replaceable(folder):
        raise InputError("a folder for the encoder", f"{folder}, which holds something else", "Name another.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch_name:
            new, old = Path(scratch_name) / "new", Path(scratch_name) / "old"
            facts = write_encoder(
                new,
                backbone=encoder.backbone,
                backbone_config=encoder.backbone_config,
                aggregation="own",
                dimension=encoder.dimension,
                backbone_weights=encoder.weights(),
                input_px=encoder.facts.sizes,
                mean=encoder.facts.mean,
                std=encoder.facts.std,
                about=about,
            )
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
    except OSError as error:
        found = f"{error.filename}: {error.strerror}"
        raise InputError(f"room for the encoder in {folder}", found, "Free some space, or name another.") from error
    return facts


def _is_replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "encoder.json").is_file() or not any(folder.iterdir()))
