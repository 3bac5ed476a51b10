"""Drawn places and a gallery of them in memory, for tests that need no file and no model."""

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.gallery import Hit, Hits
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.photo import Photo, load_photo

SIDE = 320  # px; SIFT takes a third of the time of 480
# A frame of references along one street of Lund, and one elsewhere; (lat, lon), 11 m per 0.0001 degrees of latitude.
LUND = (55.7047, 13.1910)
PORTO = (41.1496, -8.6110)


def place(seed: int, shift: int = 0) -> np.ndarray:
    """Draw a texture of rectangles, discs and letters; `shift` px moves the camera to the right."""
    dice = np.random.default_rng(seed)
    scene = np.full((SIDE, SIDE + 200, 3), 120, dtype=np.uint8)
    for _ in range(110):
        x, y = (int(v) for v in dice.integers(0, [SIDE + 200, SIDE]))
        w, h = (int(v) for v in dice.integers(8, 60, 2))
        colour = tuple(int(v) for v in dice.integers(0, 255, 3))
        kind = int(dice.integers(3))
        if kind == 0:
            cv2.rectangle(scene, (x, y), (x + w, y + h), colour, -1)
        elif kind == 1:
            cv2.circle(scene, (x, y), w // 2, colour, -1)
        else:
            letter = chr(65 + int(dice.integers(26)))
            cv2.putText(scene, letter, (x, y), cv2.FONT_HERSHEY_SIMPLEX, h / 20, colour, 3)
    return np.ascontiguousarray(cv2.GaussianBlur(scene, (3, 3), 0)[:, shift : shift + SIDE])


@dataclass(frozen=True)
class Thumbnails:
    """An encoder: the picture at 8 x 8 pixels, centred, of length 1."""

    spec: str = "embedded"
    weights_sha256: str = hashlib.sha256(b"thumbnails").hexdigest()
    dimension: int = 192
    input_side_px: int = 8

    def prepare(self, pixels, view="ground"):  # noqa: ARG002 - the protocol has it
        return cv2.resize(np.asarray(pixels), (8, 8), interpolation=cv2.INTER_AREA).astype(np.float32)

    def encode(self, prepared):
        rows = np.stack([one.reshape(-1) - one.mean() for one in prepared])
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)).astype(np.float32)


@dataclass
class MemoryGallery:
    """References with their pixels in memory; search is a matrix product."""

    references: list[Reference]
    pixels: dict[str, np.ndarray]  # by id
    encoder: Thumbnails = field(default_factory=Thumbnails)
    location: str = "memory"
    gone: frozenset[str] = frozenset()  # ids whose picture cannot be read
    searches: list[int] = field(default_factory=list)  # how many references each search compared

    def __post_init__(self):
        pictures = [self.encoder.prepare(self.pixels[one.id], one.view) for one in self.references]
        self.vectors = self.encoder.encode(pictures)

    encoder_spec = property(lambda self: self.encoder.spec)
    weights_sha256 = property(lambda self: self.encoder.weights_sha256)
    dimension = property(lambda self: self.encoder.dimension)

    def __len__(self):
        return len(self.references)

    def views(self):
        found = [one.view for one in self.references]
        return {view: found.count(view) for view in dict.fromkeys(found)}

    def positions(self, views=None):
        rows = self._rows(None, views)
        chosen = [self.references[i] for i in rows]
        return np.array([r.lat for r in chosen]), np.array([r.lon for r in chosen])

    def count(self, area=None, views=None):
        return len(self._rows(area, views))

    def search(self, queries, k, *, area=None, views=None):
        rows = self._rows(area, views)
        self.searches.append(len(rows))
        found = []
        for query in queries:
            similarity = self.vectors[rows] @ query
            best = np.argsort(-similarity, kind="stable")[:k]
            hits = tuple(Hit(self.references[rows[i]], float(similarity[i])) for i in best)
            found.append(Hits(hits, len(rows), exact=True))
        return found

    def picture(self, reference) -> Photo:
        if reference.id in self.gone:
            raise InputError("a reference's image", f"no such file: {reference.uri}", "Put it back.")
        return load_photo(self.pixels[reference.id], name=reference.uri)

    def _rows(self, area, views):
        rows = [i for i, one in enumerate(self.references) if views is None or one.view in views]
        if area is None or not rows:
            return rows
        inside = area.contains([self.references[i].lat for i in rows], [self.references[i].lon for i in rows])
        return [i for i, held in zip(rows, inside, strict=True) if held]


def reference(number: int, lat: float, lon: float, view: str = "ground", country: str | None = None) -> Reference:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return Reference(sha256[:16], f"{view}/{number:03d}.jpg", 0, lat, lon, view, country, sha256=sha256)


def street(number: int = 12, at=LUND, first_seed: int = 100, country: str = "SE") -> MemoryGallery:
    """A gallery of `number` different places along a street, 100 m from each other."""
    references = [reference(first_seed + i, at[0] + 0.0009 * i, at[1], country=country) for i in range(number)]
    pixels = {one.id: place(first_seed + i) for i, one in enumerate(references)}
    return MemoryGallery(references, pixels)
