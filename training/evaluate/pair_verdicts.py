"""What verification says of every pair of a query and a reference, kept on disk: a pair takes 0.1 s."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools import local_features, two_view
from geosleuth.tools.matching import load_matcher, match_prepared

logger = logging.getLogger(__name__)

_SAVE_EVERY = 1000  # pairs, so that an interrupted run loses at most two minutes


def pair_verdicts(
    photos: Sequence[Path], pairs: Sequence[tuple[int, int]], cache: Path, *, matcher: str = "embedded"
) -> dict[tuple[int, int], tuple[bool, int]]:
    """Verify pairs (query, reference) of photos: (accepted, inliers) of each.

    `cache` is a folder; verdicts in it are told apart by the photos' hashes and the code that judges.
    """
    loaded = load_matcher(matcher)
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in photos]
    file = cache / f"pairs-{_code_hash(loaded.name)}.json"
    known: dict[str, list[int]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    wanted = [(a, b) for a, b in pairs if f"{hashes[a]} {hashes[b]}" not in known]
    features: dict[int, Any] = {}

    def prepare(index: int) -> None:
        features[index] = loaded.prepare(load_photo(photos[index]).pixels)

    def check(pair: tuple[int, int]) -> None:
        matches = match_prepared(loaded, features[pair[0]], features[pair[1]])
        known[f"{hashes[pair[0]]} {hashes[pair[1]]}"] = [int(matches.verdict == "match"), matches.inliers]

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(prepare, sorted({index for pair in wanted for index in pair})))
        for start in range(0, len(wanted), _SAVE_EVERY):
            list(pool.map(check, wanted[start : start + _SAVE_EVERY]))
            cache.mkdir(parents=True, exist_ok=True)
            with appearing(file) as scratch:
                scratch.write_text(json.dumps(known), encoding="utf-8")
            logger.info("Verified %d of %d pairs", min(start + _SAVE_EVERY, len(wanted)), len(wanted))
    found = {(a, b): known[f"{hashes[a]} {hashes[b]}"] for a, b in pairs}
    return {pair: (bool(accepted), inliers) for pair, (accepted, inliers) in found.items()}


def _code_hash(name: str) -> str:
    """Name a cache by the matcher and the files whose constants decide."""
    digest = hashlib.sha256(name.encode())
    for module in (local_features, two_view):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:12]
