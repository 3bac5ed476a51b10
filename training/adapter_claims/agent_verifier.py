"""The verifier as the agent takes it: an adapter with the calibration of its answers beside it.

Pairs for the calibration are those that the agent would meet: a photo with the tiles that retrieval finds for it, with
those of its own country, as a prior leaves them, and with its true one.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.match_calibration import FILE_NAME, MatchCalibration, fit_calibration
from geosleuth.tools.reranking_strategies import AMONG
from geosleuth.tools.retrieval import retrieve
from geosleuth.training.adapter_claims.agent_material import AgentMaterial, AgentPhoto, Kind, tile_town
from geosleuth.training.adapter_claims.run import Run
from geosleuth.training.evaluate.rerank import WITHIN_M, Case, pair_logits

if TYPE_CHECKING:
    from geosleuth.agent.references import References
    from geosleuth.tools.candidate import Candidate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verifier:
    """A model for the role gleam_x."""

    spec: str
    calibration: MatchCalibration | None
    why_not: str = ""  # there is none: its verdicts are then opinions, and no evidence


def shows(candidate: Candidate, photo: AgentPhoto) -> bool:
    """Whether a tile shows the photo's place: the photo lies in the circle that fits into it."""
    reach_m = max(WITHIN_M, (candidate.extent_m or 0.0) / 2.0)
    return 1000.0 * geodesic_km(LatLon(candidate.lat, candidate.lon), photo.position) <= reach_m


def calibrated_verifier(
    run: Run, base: Path, runs: Path, kind: Kind, material: AgentMaterial, index: Path, out: Path
) -> Verifier:
    """Copy an adapter and fit the calibration of its answers about one kind of photo; what was asked is kept.

    Each kind has a copy of its own, since an adapter's folder holds one calibration: a verifier that knows drone
    pictures may not know street views, and must not be believed there.

    Args:
        run: That trained it.
        base: Folder of the model that it is for.
        runs: Folder of the runs.
        kind: Of the photos.
        material: With the photos to fit on.
        index: Of the tiles around them.
        out: Folder for the copy and the answers.

    Raises:
        InputError: The adapter is not there, or the model cannot be run.
    """
    copy = _copied(run.folder(runs) / run.name, out / kind / run.name)
    below = [f"dir:{one.folder(runs) / one.name}" for one in run.below[:-1]]
    spec = "+".join([f"dir:{base}", *below, f"dir:{copy}"])
    said = _answers(spec, kind, material, index, out / kind / "pairs.json")
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    sample = f"{kind} pictures and tiles of {len(material.fitted_gallery)} invented towns"
    try:
        fitted = fit_calibration(said["logits"], said["labels"], weights=said["weights"], sample=sample, date=day)
    except InputError as error:
        logger.warning("The verifier of %s pictures has no calibration: %s", kind, error.found)
        (copy / FILE_NAME).unlink(missing_ok=True)
        return Verifier(spec, None, error.found)
    with appearing(copy / FILE_NAME) as scratch:
        scratch.write_text(fitted.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return Verifier(spec, fitted)


def _copied(adapter: Path, copy: Path) -> Path:
    if copy.is_dir():
        return copy
    if not adapter.is_dir():
        raise InputError("a taught verifier", f"nothing at {adapter}", "Train it: make the table verdicts.")
    scratch = copy.with_name(f".{copy.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)  # of a copy that was killed
    shutil.copytree(adapter, scratch)
    scratch.replace(copy)
    return copy


def _answers(spec: str, kind: Kind, material: AgentMaterial, index: Path, kept: Path) -> dict[str, Any]:
    """Ask about all pairs, once: ln P(yes) / P(no) and whether they match, of so many pairs, and the weights."""
    from geosleuth.agent.references import open_references
    from geosleuth.agent.settings import Settings
    from geosleuth.tools.vlm.load import load_vlm

    model = load_vlm(spec)
    if kept.exists():
        said = json.loads(kept.read_text(encoding="utf-8"))
        if said["weights"] == model.weights:
            return dict(said)
    references = open_references(Settings(index=str(index)))
    if references is None:
        raise InputError("an index of tiles", f"none at {index}", "Run the command again.")
    logits, labels = pair_logits(_cases(kind, material, references), model, references.gallery)
    said = {"weights": model.weights, "logits": logits, "labels": labels}
    with appearing(kept) as scratch:
        scratch.write_text(json.dumps(said), encoding="utf-8")
    return said


def _cases(kind: Kind, material: AgentMaterial, references: References) -> Iterator[Case]:
    for labelled in material.fitted[kind]:
        photo = open_photo(labelled.path)
        found = retrieve(photo, references.gallery, references.encoder, k=len(references.gallery)).candidates
        right = [one for one in found if shows(one, labelled)]
        near = [one for one in found if material.countries[tile_town(one.uri)] == labelled.country]
        chosen = {one.reference_id: one for one in (*found[:AMONG], *near[:AMONG], *right)}
        yield Case(photo, tuple(chosen.values()), frozenset(one.reference_id for one in right))
