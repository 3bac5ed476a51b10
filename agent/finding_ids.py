"""The id of a finding: the same for the same finding in the same picture, in every run on this machine."""

from __future__ import annotations

import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from geosleuth.tools.evidence import Evidence

INVESTIGATOR_SAYS = "investigator"  # in place of a picture, of what a person states
# Their one finding sums up all candidates of a photo, and changes with each search: left out is the finding, in
# whatever words it comes.
_SUMMED_UP = {"retrieval", "verification", "gleam_x"}
_DIGITS = 12  # hex; a scene has some hundred findings


def finding_id(about: str, evidence: Evidence, key: bytes) -> str:
    """Return `WeighedEvidence.id`.

    Args:
        about: The picture by its hash and edits, or `INVESTIGATOR_SAYS`.
        evidence: Without its seconds, which no two runs share.
        key: Of `machine_key`.
    """
    summed_up = evidence.tool in _SUMMED_UP
    content = evidence.type if summed_up else evidence.model_dump_json(exclude={"seconds"})
    return hmac.new(key, f"{about}\n{content}".encode(), "sha256").hexdigest()[:_DIGITS]


@lru_cache(maxsize=1)
def machine_key() -> bytes:
    """The key of ids: 32 random bytes of this machine, made once and kept.

    Without it, a claim that a cap withholds could be found again by trying all places for one whose hash is the id.
    Kept, what was left out of a case stays left out after a restart.
    """
    from platformdirs import user_data_dir

    path = Path(user_data_dir("geosleuth")) / "finding.key"
    fresh = secrets.token_bytes(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes() or fresh
    except OSError:  # nowhere to keep it: ids hold until this process ends
        return fresh
    with os.fdopen(handle, "wb") as file:
        file.write(fresh)
    return fresh
