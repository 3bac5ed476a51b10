"""A case as one zip file, for a colleague or a court, with how to check it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from geosleuth.agent.cases.case import Case
from geosleuth.agent.cases.turns import without_words

_README = """\
Case {id}, exported from geosleuth {version}.

case.json       the photos, and what was asked, turn by turn
{photos}
answers/        the answer of each turn; its form is described in docs/localization.schema.json of geosleuth
custody.jsonl   every event of the case, one line each

To check a photo: compute the SHA-256 of its file; it is the file's name.
To check an answer: compute the SHA-256 of its file; it stands in the line "answered" of its turn.
To check words: a line's "name" (of a photo's file, of a case that was renamed) and "hmac" (of what was asked) are
HMAC-SHA256 with the key "salt" of case.json, so that nobody without it can find the words by trying.
To check the chain: "previous" of each line is the SHA-256 of the line before it, without its line end; of the first,
64 zeros. The SHA-256 of the last line is

    {head}

Whoever notes this number can tell any later change to any line. It also stands in geosleuth's audit log, where that
is switched on. In Python:

    import hashlib, json, pathlib
    previous = "0" * 64
    for line in pathlib.Path("custody.jsonl").read_bytes().splitlines():
        assert json.loads(line)["previous"] == previous
        previous = hashlib.sha256(line).hexdigest()
    print(previous)
"""
_PHOTOS = "photos/         the photos as they were handed over, each named by the SHA-256 of its bytes"
_NO_PHOTOS = """\
(no photos/)    The photos are left out: cameras write into them where and when they were taken, and their own number.
                Their hashes are in case.json. What the evidence quotes of their files stands in the answers.{ask}"""
_ASK = " Whoever\n                exports the case can ask for them."
_CAPPED = """
This export is coarsened to {cap_km:g} km on purpose. The photos are left out, since a camera may have written the exact
position into them and the picture itself may show it; their hashes are in case.json. What the investigator said is
left out as well, and so are the names of the case and of the photos' files, and the salt of the hashes of all these in
custody.jsonl. Answers that were kept finer, or with names, were coarsened for this export: the SHA-256 of their lines
is that of the file that was kept.
"""


def archive(
    case: Case,
    answers: Mapping[int, bytes],
    photos: Mapping[str, bytes],
    custody: bytes,
    cap_km: float | None = None,
) -> bytes:
    """Return the zip file.

    Args:
        case: What goes into case.json.
        answers: Their JSON, by the number of their turn.
        photos: Untouched bytes, by their path in the case; none where they stay out.
        custody: custody.jsonl.
        cap_km: The precision cap that holds for the answers; the investigator's words then stay out.
    """
    version, listed = case.versions.get("geosleuth", "?"), _PHOTOS if photos or not case.photos else _NO_PHOTOS
    listed = listed.format(ask="" if cap_km else _ASK)
    readme = _README.format(id=case.id, version=version, head=case.custody_head, photos=listed)
    files = {
        "README.txt": (readme + (_CAPPED.format(cap_km=cap_km) if cap_km else "")).encode(),
        "case.json": (without_words(case) if cap_km else case).model_dump_json(indent=1).encode(),
        "custody.jsonl": custody,
        **{f"answers/{number:04d}.json": answer for number, answer in answers.items()},
        **photos,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, case.changed.timetuple()[:6])  # of the case, so that it does not tell more
            entry.external_attr = 0o600 << 16
            packed = zipfile.ZIP_STORED if name in photos else zipfile.ZIP_DEFLATED  # photos are compressed already
            bundle.writestr(entry, content, packed)
    return buffer.getvalue()
