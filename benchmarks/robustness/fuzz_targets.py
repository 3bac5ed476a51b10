"""What is fuzzed: each target takes bytes, and may answer, or refuse by InputError; anything else is a crash."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

Target = Callable[[bytes], object]


@dataclass(frozen=True)
class Fuzzed:
    """A target, and where its first inputs come from."""

    run: Target
    seeds: Callable[[], Iterator[bytes]]
    longest: int = 4096  # bytes of an input; a decoder's tables are in a file's head
    seconds: int = 20  # after which an input counts as a hang


def photo(data: bytes) -> None:
    """Open and decode, whole and reduced, and read what stands beside the picture."""
    from geosleuth.indexes.photo import load_photo
    from geosleuth.tools.metadata import read_metadata

    loaded = load_photo(data)
    loaded.pixels_at(64)
    read_metadata(loaded)


def exif(data: bytes) -> None:
    """Read an EXIF block, and the evidence in it; no bytes at all may raise."""
    from geosleuth.indexes.exif import parse_exif
    from geosleuth.tools.metadata import read_metadata

    parse_exif(data).model_dump_json()
    read_metadata(replace(_grey_photo(), exif=data))


def xmp(data: bytes) -> None:
    """Read an XMP packet, and the evidence in it; no bytes at all may raise."""
    from geosleuth.indexes.exif import parse_exif
    from geosleuth.indexes.xmp import parse_xmp, shows_all_around
    from geosleuth.tools.metadata import read_metadata

    parse_exif(None, data).model_dump_json()
    shows_all_around(parse_xmp(data), (400, 200))
    read_metadata(replace(_grey_photo(), xmp=data))


def gps(data: bytes) -> None:
    """Read a GPS block whose entries are of any type: JSON, {tag: value}."""
    from contextlib import suppress

    from PIL.TiffImagePlugin import IFDRational

    from geosleuth.indexes.gps import UnusableError, read_fix, read_heading, read_utc
    from geosleuth.tools.metadata import spread_m

    def value_of(one: Any) -> Any:
        if isinstance(one, dict):
            numbers = [int(n) for n in one.values() if isinstance(n, int | float) and abs(n) < 2**32]
            return (
                IFDRational(*numbers[:2])
                if len(numbers) > 1
                else b"".join(str(key).encode("utf-8", "replace") for key in one)
            )
        return tuple(value_of(inner) for inner in one) if isinstance(one, list) else one

    try:
        found = json.loads(data)
        block = {int(tag): value_of(one) for tag, one in found.items()}
    except (ValueError, AttributeError, RecursionError, OverflowError):
        return
    with suppress(UnusableError):
        spread_m(read_fix(block))
    read_heading(block)
    read_utc(block)


def index(data: bytes) -> None:
    """Open an index of which one file is forged, checksums and all, search it, and read its problems."""
    import numpy as np

    from geosleuth.indexes.gallery.store import open_index

    with tempfile.TemporaryDirectory() as folder:
        forge(Path(folder), data[:1], data[1:])
        gallery = open_index(Path(folder))
        gallery.positions()
        query = np.ones((1, min(gallery.dimension, 10_000)), np.float32)
        for hits in gallery.search(query, 3):
            repr(hits)
        list(gallery.problems())


def forge(folder: Path, which: bytes, content: bytes) -> None:
    """Write a sound index with the content of one of its files replaced, and true checksums."""
    manifest, files = sound_index()
    name = [*sorted(files), "manifest.json"][(which or b"\0")[0] % (len(files) + 1)]
    fields = json.loads(manifest)
    fields.pop("checksum")
    for file, sound in files.items():
        written = content if file == name else sound
        (folder / file).write_bytes(written)
        digest = hashlib.sha256(
            b"".join(hashlib.sha256(written[i : i + (16 << 20)]).digest() for i in range(0, len(written), 16 << 20))
        )
        fields["files"][file] = {"bytes": len(written), "sha256": digest.hexdigest()}
    text = json.dumps(fields | {"checksum": ""}, indent=1).encode()
    if name == "manifest.json":
        text = content.replace(b'"checksum": "0"', b'"checksum": ""')
    checksum = hashlib.sha256(text).hexdigest()
    (folder / "manifest.json").write_bytes(text.replace(b'"checksum": ""', f'"checksum": "{checksum}"'.encode()))


def planner(data: bytes) -> None:
    """Read a planner's reply as text, and as a message that foreign code made."""
    from langchain_core.messages import AIMessage

    from geosleuth.agent.planner_reply import read_reply
    from geosleuth.tools.vlm.tool_calls import parse_reply

    text = data[1:].decode("utf-8", "surrogateescape" if data[:1] == b"s" else "replace")
    messages: list[object] = [parse_reply(text, finished=data[:1] != b"c")]
    try:
        made = AIMessage("")
        for name, value in json.loads(text).items():
            if name in ("content", "tool_calls", "invalid_tool_calls", "response_metadata"):
                object.__setattr__(made, name, value)
        messages.append(made)
    except (ValueError, AttributeError, RecursionError):
        pass
    for message in messages:
        for must_conclude in (True, False):
            reply = read_reply(message, _tools(), must_conclude=must_conclude)
            json.dumps([reply.words, reply.thought, reply.first_name, reply.ids, reply.problem]).encode()
            reply.message.model_dump_json()


def georeasoner(data: bytes) -> None:
    """Read a model's answer to GeoReasoner's question."""
    from pydantic import ValidationError

    from geosleuth.tools.georeasoner_reply import GeoAnswer
    from geosleuth.tools.vlm.lenient_json import objects_in

    for found in objects_in(data.decode("utf-8", "replace")):
        try:
            answer = GeoAnswer.model_validate(found)
        except ValidationError:
            continue
        repr((answer.country_code, answer.city_name, answer.is_silent, answer.has_street_level, answer.position))
        answer.model_dump_json()


def hints(data: bytes) -> None:
    """Read an investigator's hint."""
    from geosleuth.tools.hints import hint_evidence

    for piece in hint_evidence(data.decode("utf-8", "replace")):
        piece.model_dump_json()


def prior(data: bytes) -> None:
    """Read a file of recorded predictions, and each photo's evidence."""
    from geosleuth.tools.prior import RecordedPredictions, recorded_models

    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(data)
        file.flush()
        recorded_models(file.name)
        read = RecordedPredictions.read(file.name)
        for name in list(read.rows)[:3]:
            for piece in read.evidence_for(name):
                piece.model_dump_json()


def clues(data: bytes) -> None:
    """Turn lines of any writing into evidence."""
    from geosleuth.tools import reading
    from geosleuth.tools.textline import TextLine

    box = ((1.0, 1.0), (90.0, 1.0), (90.0, 20.0), (1.0, 20.0))
    texts = data.decode("utf-8", "replace").split("\n")[:8]
    scripts = ("Latn", "Cyrl", "Zyyy", "Hani", "Arab")
    lines = [
        TextLine(text=text, box=box, script=scripts[i % 5], script_confidence=0.9, score=0.9, recogniser="ppocr")
        for i, text in enumerate(texts)
    ]
    for piece in reading.clues(lines, (640, 480)):
        piece.model_dump_json()


def reading(data: bytes) -> None:
    """Read a small picture on which the input is drawn, over noise that it makes."""
    import numpy as np
    from PIL import Image, ImageDraw

    from geosleuth.indexes.photo import load_photo
    from geosleuth.tools.reading import read_text

    width, height = 32 + (data + b"\0")[0], 32 + (data + b"\0\0")[1] // 2
    pixels = np.resize(np.frombuffer(data + b"\0", np.uint8), (height, width, 3))
    image = Image.fromarray(pixels // 4)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(data[2:200].decode("utf-8", "replace").split("\n")[:4]):
        draw.text((4, 4 + 24 * i), line[:30].replace("\0", " "), fill=(250, 250, 240), font_size=20)
    read_text(load_photo(image)).model_dump_json()


@lru_cache(maxsize=1)
def _grey_photo() -> Any:
    import numpy as np

    from geosleuth.indexes.photo import load_photo

    return load_photo(np.full((40, 60, 3), 127, np.uint8))


@lru_cache(maxsize=1)
def _tools() -> dict[str, Any]:
    from geosleuth.agent.toolbox import Finding, Scene, Tool

    def read_text(_: Scene) -> Finding:
        """Read the signs."""
        return Finding("")

    def submap(_: Scene, share: float = 0.95) -> Finding:
        """List countries."""
        return Finding(str(share))

    # Tool.of reads the hints by the function's globals, which are this module's and lazily filled
    for function in (read_text, submap):
        function.__annotations__ = {
            key: {"Scene": Scene, "Finding": Finding, "float": float}[str(kind)]
            for key, kind in function.__annotations__.items()
        }
    return {tool.name: tool for tool in (Tool.of("read_text", read_text), Tool.of("submap", submap))}


@lru_cache(maxsize=1)
def sound_index() -> tuple[str, dict[str, bytes]]:
    """Return the manifest of a small sound index, and its other files by name."""
    import numpy as np

    from geosleuth.indexes.gallery.manifest import EncoderFacts, Problem, SourceFacts
    from geosleuth.indexes.gallery.reference import Reference
    from geosleuth.indexes.gallery.store import Staged, write_index

    rows = [
        Reference(
            f"{i:016x}", f"{i}.jpg", 0, 40.0 + i, -8.0 + i, "ground", "PT", 90.0, None, "2024-06-01", "CC0", "a" * 64
        )
        for i in range(6)
    ]
    vectors = np.eye(6, 8, dtype=np.float32)
    encoder = EncoderFacts(spec="invented", weights_sha256="0" * 64, dimension=8)
    source = SourceFacts(kind="folder", root="/nowhere")
    problem = Problem(kind="skipped", uri="x.jpg", reason="it is none")
    with tempfile.TemporaryDirectory() as folder:
        write_index(Path(folder), [Staged(rows, vectors)], encoder=encoder, sources=[source], problems=[problem])
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}
    return files.pop("manifest.json").decode(), {name: content for name, content in files.items() if "-" in name}
