"""Retrieval: the references of a gallery that look most like the photo. Candidates, not evidence."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.geodesy import distance_km
from geosleuth.indexes.xmp import parse_xmp, shows_all_around
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Evidence, Nothing, Support
from geosleuth.tools.quoting import quoted
from geosleuth.tools.reranking import in_rank_order
from geosleuth.tools.submap import with_enough

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosleuth.indexes.encoders.encoder import Encoder, Vectors
    from geosleuth.indexes.gallery.gallery import Gallery, Hit, Hits
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.submap import Submap

_WHY_NOTHING = "a similar picture is a candidate, and no evidence until it is verified"
_SAME_PLACE_KM = 0.1  # references this near to each other show one place, for the claim
_COPIES = 4  # a picture may lie in a gallery at several places; more copies of an excluded one than this stay


class Retrieval(BaseModel):
    """What was found, and how it was searched."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    candidates: tuple[Candidate, ...]
    """The most similar first within each view; views merged by rank."""
    searched: Annotated[int, Field(ge=0)]
    """References that the submap and the views left."""
    references: Annotated[int, Field(ge=0)]
    """References of these views in the whole gallery."""
    exact: bool
    """Whether each of them was compared."""
    submap_reason: str | None
    """Why the whole gallery was searched; None when it was not."""
    query_view: View
    """What the photo was encoded as."""
    evidence: tuple[Evidence, ...]
    """One finding, which says nothing about the place."""
    seconds: Annotated[float, Field(ge=0)]


def retrieve(
    photo: Photo,
    gallery: Gallery,
    encoder: Encoder,
    *,
    submap: Submap | None = None,
    views: Sequence[View] | None = None,
    k: int = 20,
    exclude_sha256: Collection[str] = (),
) -> Retrieval:
    """Find the references that look most like the photo; use it when the belief is as narrow as the clues make it.

    Each view is ranked by itself, since similarities of different views cannot be compared, and the lists are merged by
    rank. A submap that leaves too few references gives way to the whole gallery, with the reason.

    Args:
        photo: Taken from the ground. An untouched file whose metadata say that it is a panorama of all directions is
            encoded as one, if the encoder knows panoramas.
        gallery: The references.
        encoder: The one that made the gallery's vectors.
        submap: Where to search; None is everywhere.
        views: Which references; None is all that the gallery has.
        k: Candidates in all.
        exclude_sha256: Hashes of images that must not be found, such as the photo itself in an evaluation.

    Raises:
        InputError: The encoder did not make the gallery's vectors, or the gallery has none of the views.
    """
    started = time.perf_counter()
    check_encoder(gallery, encoder)
    chosen = _views(gallery, views)
    query, query_view = _prepared(photo, encoder)
    vector = encoder.encode([query])
    found, why = _search(gallery, vector, k + _COPIES * len(exclude_sha256), submap, chosen)
    hits = [hit for one in found for hit in one.hits if hit.reference.sha256 not in exclude_sha256]
    candidates = in_rank_order(
        [Candidate.of(h.reference, rank=1, similarity=_cosine(h), score=_cosine(h)) for h in hits], k
    )
    searched, references = sum(h.searched for h in found), sum(chosen.values())
    copies = [h.reference.uri for h in hits if h.reference.sha256 and h.reference.sha256 == photo.sha256]
    seconds = time.perf_counter() - started
    evidence = Evidence(
        tool="retrieval",
        type="retrieval.candidates",
        claim=_claim(candidates, searched, references, copies),
        likelihood=Nothing(reason=_WHY_NOTHING if candidates else "no reference was left to compare with"),
        support=(Support(source=gallery.location, rule=why),),
        seconds=seconds,
        weights=f"{encoder.spec} {encoder.weights_sha256[:12]}",
    )
    return Retrieval(
        candidates=candidates,
        searched=searched,
        references=references,
        exact=all(h.exact for h in found),
        submap_reason=why,
        query_view=query_view,
        evidence=(evidence,),
        seconds=seconds,
    )


def check_encoder(gallery: Gallery, encoder: Encoder) -> None:
    """Refuse an encoder that did not make the gallery's vectors: it would find noise.

    Raises:
        InputError: Weights or dimension differ.
    """
    if (encoder.weights_sha256, encoder.dimension) == (gallery.weights_sha256, gallery.dimension):
        return
    made_by = f"{gallery.encoder_spec}, weights {gallery.weights_sha256[:12]}, {gallery.dimension} numbers"
    raise InputError(
        f"the encoder that made the vectors of {gallery.location} ({made_by})",
        f"{encoder.spec}, weights {encoder.weights_sha256[:12]}, {encoder.dimension} numbers",
        "Leave `backends.retrieval` out, or build the index again with this encoder by `geosleuth index build`.",
    )


def _prepared(photo: Photo, encoder: Encoder) -> tuple[NDArray[Any], View]:
    """Prepare the photo as what it shows: a panorama all around, or what one camera sees."""
    pixels = photo.pixels_at(encoder.input_side_px)
    if not photo.edits and shows_all_around(parse_xmp(photo.xmp), photo.size):  # a crop is a photo
        with contextlib.suppress(InputError):  # an encoder that was not made for panoramas takes it as a photo
            return encoder.prepare(pixels, "panorama"), "panorama"
    return encoder.prepare(pixels, "ground"), "ground"


def _views(gallery: Gallery, wanted: Sequence[View] | None) -> dict[View, int]:
    """The views to search, in the order asked for, with their numbers of references."""
    there = gallery.views()
    chosen = there if wanted is None else {view: there[view] for view in dict.fromkeys(wanted) if view in there}
    if not chosen:
        found = f"{', '.join(there) or 'no reference'} in {gallery.location}"
        asked = " or ".join(wanted) if wanted else "any"
        raise InputError(f"references of view {asked}", found, "Ask for another view, or add such references.")
    return chosen


def _search(
    gallery: Gallery, vector: Vectors, k: int, submap: Submap | None, views: dict[View, int]
) -> tuple[list[Hits], str | None]:
    """Search each view in the submap, or, where that leaves too few, everywhere, and say why everywhere."""
    if submap is None:
        why: str | None = "no submap was asked for"
    elif submap.is_whole_world:
        why = submap.reason
    else:
        found = [gallery.search(vector, k, area=submap, views=[view])[0] for view in views]
        why = with_enough(submap, sum(h.searched for h in found), sum(views.values())).reason
        if why is None:
            return found, None
    return [gallery.search(vector, k, views=[view])[0] for view in views], why


def _cosine(hit: Hit) -> float:
    return float(np.clip(hit.similarity, -1.0, 1.0))


def _claim(candidates: Sequence[Candidate], searched: int, references: int, copies: Sequence[str]) -> str:
    part = f"{searched:,} of {references:,} references"
    if not candidates:
        return f"Nothing to compare with among {part}."
    best = candidates[0]
    km = distance_km(best.lat, best.lon, [c.lat for c in candidates], [c.lon for c in candidates])
    claim = f"Of {part}, {quoted(best.uri)} at {best.lat:.5f}, {best.lon:.5f} looks most like the photo "
    claim += f"(similarity {best.similarity:.2f}); {int((km <= _SAME_PLACE_KM).sum())} of the first {len(candidates)} "
    claim += "lie within 100 m of it."
    if copies:
        claim += f" This very picture is in the gallery: {', '.join(map(quoted, copies))}."
    return claim
