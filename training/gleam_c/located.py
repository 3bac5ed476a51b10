"""What retrieval and the agent make of photos whose place is known. Kept on disk, photo by photo."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from geosleuth.agent.agent import Agent
from geosleuth.agent.localization import Localization, Status
from geosleuth.agent.references import open_gallery
from geosleuth.agent.settings import Settings
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.geodesy import distance_km
from geosleuth.indexes.json_file import read_json
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.retrieval import check_encoder, retrieve
from geosleuth.training.gleam_c.held_out import HeldOutPhoto

# s per photo. The agent's own limit is two minutes; on a busy machine that would be another answer than on a free one.
_MOST_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Located:
    """What the agent said of one photo."""

    rank: int | None  # of the photo's own tile among the candidates that the answer lists; None: not among them
    off_km: float | None  # from the answer's point to the truth; None: no point
    status: Status


def ranks(photos: Sequence[HeldOutPhoto], index: Path, kept: Path) -> dict[Path, int]:
    """Search the whole gallery for each photo; return the rank of its own tile, from 1, by the photo's path.

    Args:
        photos: Whose tiles are all in the index.
        index: Its manifest names the encoder.
        kept: A folder for the result.
    """
    gallery = open_gallery(str(index))
    path = kept / f"ranks-{gallery.weights_sha256[:12]}.json"
    if path.exists():
        found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        if all(one.path.name in found for one in photos):
            return {one.path: found[one.path.name] for one in photos}
    encoder = load_encoder(gallery.encoder_spec, local_only=True)
    check_encoder(gallery, encoder)
    found = {}
    for one in photos:
        hits = retrieve(open_photo(one.path), gallery, encoder, views=["satellite"], k=len(gallery)).candidates
        found[one.path.name] = next(hit.rank for hit in hits if hit.uri == one.tile)
    kept.mkdir(parents=True, exist_ok=True)
    with appearing(path) as scratch:
        scratch.write_text(json.dumps(found), encoding="utf-8")
    return {one.path: found[one.path.name] for one in photos}


def asked_agent(index: str) -> Agent:
    """Return the agent with its defaults; neither a settings file nor the environment counts."""
    return Agent(Settings(index=index, max_seconds=_MOST_SECONDS))


def located(
    photos: Sequence[HeldOutPhoto],
    index: Path,
    kept: Path,
    *,
    agent: Callable[[str], Agent] = asked_agent,
    on_done: Callable[[int], None] = lambda _: None,
) -> dict[Path, Located]:
    """Ask the agent where each photo was taken.

    Args:
        photos: As `ranks` has them, so are the next two.
        index: What the agent searches.
        kept: Whole answers are kept there, and not asked for again.
        agent: Makes the one that searches an index.
        on_done: Is told how many photos are done.
    """
    asked: Agent | None = None  # where all answers are there, none is needed
    folder = kept / f"answers-{open_gallery(str(index)).weights_sha256[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for done, one in enumerate(photos, start=1):
        path = folder / f"{one.path.stem}.json"
        if not path.exists():
            asked = asked or agent(str(index))
            with appearing(path) as scratch:
                scratch.write_text(asked.localize(one.path).model_dump_json(indent=1), encoding="utf-8")
        answer = read_json(path, Localization, "an answer of the agent", f"Delete {path}; the same command goes on.")
        found[one.path] = _judged(one, answer)
        on_done(done)
    return found


def _judged(photo: HeldOutPhoto, answer: Localization) -> Located:
    rank = next((place for place, one in enumerate(answer.candidates, start=1) if one.uri == photo.tile), None)
    point = answer.point
    off_km = None if point is None else float(distance_km(*photo.at, point.lat, point.lon))
    return Located(rank, off_km, answer.status)
