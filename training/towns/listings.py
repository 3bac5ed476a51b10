"""What is written once for all towns: the settings, the lists, the tables, and the words that all of it is invented."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import PIL

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.json_file import read_json
from geosleuth.indexes.lock import LOCK, locked
from geosleuth.indexes.whole_file import SCRATCH, appearing
from geosleuth.training.towns.draw_town import GALLERY_HEADER, MARKERS, PLACES_HEADER, TownDone, marker
from geosleuth.training.towns.shots import Layout
from geosleuth.training.towns.world import World

SETTINGS = "towns.json"
SYNTHETIC = (
    "Synthetic: invented towns, drawn by geosleuth. No picture shows a real place; the country codes are real, the "
    "looks that go with them are invented, and what stands at a position on Earth is not what is drawn."
)
_WANTED = "an empty folder, or one in which the same towns were begun"


class TextCounts(NamedTuple):
    """How many pictures of a data set can be read."""

    with_text: int  # pictures whose signs or streets were given text
    readable: int  # of them, those in which a text can be read


@contextlib.contextmanager
def begun(out: Path, world: World) -> Iterator[None]:
    """Make the folder, or see that it was begun with the same settings; nobody else may write to it meanwhile.

    Raises:
        InputError: It holds something else, is in use, or cannot be made.
    """
    try:
        _refuse_others(out)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(_WANTED, f"{out}: {error.strerror or error}", "Name another folder.") from error
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(out, f"the folder {out} for this process alone", "another that writes to it"))
            _begin(out, world)
        except OSError as error:
            raise InputError(_WANTED, f"{out}: {error.strerror or error}", "Name another folder.") from error
        yield


def _refuse_others(out: Path) -> None:
    """See that a folder without settings is empty but for what a killed run may leave before it wrote them."""
    if not out.exists() or (out / SETTINGS).exists():
        return
    if any(one.name != LOCK and not one.name.endswith(SCRATCH) for one in out.iterdir()):
        raise InputError(_WANTED, f"other files in {out}", "Name another folder.")


def _begin(out: Path, world: World) -> None:
    path, said = out / SETTINGS, _said(world)
    if path.exists():
        _compare(path, said)
    else:
        _write(path, _json(said))
    (out / MARKERS).mkdir(exist_ok=True)


def text_counts(done: Iterable[TownDone], name: str) -> TextCounts:
    """Count the pictures of a data set that can be read."""
    parts = [one.parts[name] for one in done]
    return TextCounts(sum(part.with_text for part in parts), sum(part.readable for part in parts))


def gaps(done: Sequence[TownDone], layout: Layout, world: World) -> list[str]:
    """Say which splits of a data set have no query.

    Raises:
        InputError: None has any.
    """
    split, view = PLACES_HEADER.index("split"), PLACES_HEADER.index("view")
    have = {row[split] for one in done for row in one.parts[layout.name].places if row[view] != "satellite"}
    wanted = f"{world.towns} towns of {world.places} places for {layout.name}"
    if not have:
        remedy = "Ask for larger towns (side_m) or for more of them, in another folder."
        raise InputError(wanted, f"none: towns of {world.side_m:g} m had no room for any", remedy)
    missing = [one for one in layout.splits if one not in have]
    return [f"wanted {wanted}, found no query for its split {one}" for one in missing]


def finish(out: Path, world: World, layouts: Sequence[Layout]) -> list[TownDone]:
    """Write lists and tables from the markers, and return these.

    Raises:
        InputError: A marker was damaged, or the disk takes no more.
    """
    done = [read_done(out, index) for index in range(world.towns)]
    try:
        for layout in layouts:
            _finish_layout(out / layout.name, layout, done)
        towns = [one.model_dump(include={"seed", "country", "lat", "lon"}) for one in done]
        pictures = {name: sum(one.parts[name].pictures for one in done) for name in world.layouts}
        texts = {name: text_counts(done, name)._asdict() for name in world.layouts}
        _write(out / SETTINGS, _json({**_said(world), "pictures": pictures, "texts": texts, "towns": towns}))
    except OSError as error:
        remedy = "Free space; the same command goes on."
        raise InputError("a folder to write towns to", f"{out}: {error.strerror or error}", remedy) from error
    return done


def read_done(out: Path, index: int) -> TownDone:
    """Read a town's marker."""
    path = marker(out, index)
    return read_json(path, TownDone, "the marker of a town that is done", f"Delete {path}; the same command goes on.")


def _finish_layout(root: Path, layout: Layout, done: list[TownDone]) -> None:
    parts = [one.parts[layout.name] for one in done]
    lists: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        for file, lines in part.lists.items():
            lists[file] += lines
    for file in layout.lists:
        head = [layout.headers[file]] if file in layout.headers else []
        _write(root / file, "".join(f"{line}\n" for line in [*head, *lists[file]]))
    _write(root / "places.csv", _csv(PLACES_HEADER, (row for part in parts for row in part.places)))
    gallery = [row for part in parts for row in part.gallery]
    if gallery:
        _write(root / "gallery.csv", _csv(GALLERY_HEADER, gallery))
    _write(root / "README.txt", f"{SYNTHETIC}\n\n{layout.readme}\n")
    if layout.finish:
        layout.finish(root, lists)


def _said(world: World) -> dict[str, Any]:
    return {
        "synthetic": SYNTHETIC,
        "settings": world.model_dump(mode="json"),
        "versions": {
            "geosleuth": version("geosleuth"),
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "opencv": cv2.__version__,
        },
    }


def _compare(path: Path, said: dict[str, Any]) -> None:
    """Refuse a folder that was begun otherwise.

    Raises:
        InputError: Names the first setting that differs.
    """
    remedy = "Name another folder, or delete this one."
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        settings, versions = before["settings"], dict(before["versions"])
        differ = [name for name, value in said["settings"].items() if settings.get(name) != value]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(_WANTED, f"a {SETTINGS} of another kind in {path.parent}", remedy) from error
    if differ:
        name = differ[0]
        found = f"{path.parent}, begun with {name} = {settings.get(name)!r} and not {said['settings'][name]!r}"
        raise InputError(_WANTED, found, remedy)
    for name, release in said["versions"].items():
        if versions.get(name, release) != release:  # what draws and encodes
            found = f"{path.parent}, begun with {name} {versions[name]}, which may draw otherwise than {release}"
            raise InputError(_WANTED, found, remedy)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")
