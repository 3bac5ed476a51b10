import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Pictures, Skipped
from geosleuth.training.evaluate.cross_view import embed as embed_module
from geosleuth.training.evaluate.cross_view.embed import embed
from geosleuth.training.evaluate.cross_view.evaluate import evaluate_encoder

GROUND, TILE = Modality("photo", "ground"), Modality("tile", "satellite")
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (20, 40, 230), "grey": (120, 120, 120)}


class Colour:
    """A real encoder, if a poor one: the mean colour, of length 1; nothing in black."""

    spec = "colour"
    weights_sha256 = "c0105"
    dimension = 3
    input_side_px = 8

    def __init__(self, views=("ground", "satellite")):
        self.views = views
        self.encoded = 0

    def prepare(self, pixels, view="ground"):
        if view not in self.views:
            raise InputError(f"an encoder for {view} images", "one for others", "Choose another.")
        return pixels.mean(axis=(0, 1))

    def encode(self, prepared):
        self.encoded += len(prepared)
        sums = np.array(prepared, np.float32)
        with np.errstate(invalid="ignore"):
            return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def paint(folder: Path, name: str, colour=None) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.png"
    Image.new("RGB", (12, 8), colour or COLOURS[name]).save(path)
    return str(path)


def pictures(paths, modality, places=None):
    places = range(len(paths)) if places is None else places
    return Pictures(
        paths=list(paths),
        modalities=(modality,),
        modality=np.zeros(len(paths), np.int16),
        places=np.array(list(places), np.int64),
        positions=np.full((len(paths), 2), np.nan),
    )


@pytest.fixture
def split(tmp_path):
    """Three photos and four tiles; the photo of `blue` is no picture, and the tile of `green` is gone."""
    queries = [paint(tmp_path / "photos", name) for name in ("red", "green", "blue")]
    Path(queries[2]).write_bytes(b"\xff\xd8\xff no picture")
    tiles = [paint(tmp_path / "tiles", name) for name in COLOURS]
    Path(tiles[1]).unlink()
    return CrossViewSet("painted", "test", pictures(queries, GROUND), pictures(tiles, TILE))


def test_vectors_are_those_of_the_encoder_and_broken_pictures_are_named(split):
    found = embed(Colour(), split.queries)
    red = np.array(COLOURS["red"]) / np.linalg.norm(COLOURS["red"])
    assert found.vectors[0] == pytest.approx(red, abs=1e-6)
    assert found.valid.tolist() == [True, True, False]
    assert found.vectors[2].tolist() == [0, 0, 0]
    assert [one.path for one in found.broken] == [split.queries.paths[2]]
    assert "broken header" in found.broken[0].reason


def test_an_encoder_is_judged_and_what_is_missing_counts(split):
    found = evaluate_encoder(split, Colour())
    assert found.measures.overall.recall[1] == pytest.approx(1 / 3)  # red; green has no tile, blue cannot be read
    assert (found.measures.overall.unreadable, found.measures.overall.without_reference) == (1, 1)
    assert (found.measures.references, found.measures.unreadable_references) == (3, 1)
    assert [Path(one.path).name for one in found.unreadable] == ["blue.png", "green.png"]
    assert (found.encoder, found.weights_sha256) == ("colour", "c0105")


def test_a_picture_in_which_the_encoder_finds_nothing_counts_as_broken(tmp_path):
    paths = [paint(tmp_path / "photos", "black", (0, 0, 0)), paint(tmp_path / "photos", "red")]
    found = embed(Colour(), pictures(paths, GROUND))
    assert found.valid.tolist() == [False, True]
    assert found.broken == (Skipped(paths[0], "the encoder finds nothing in it"),)


def test_progress_counts_all_pictures(split):
    told = []
    evaluate_encoder(split, Colour(), progress=told.append)
    assert (told[-1].done, told[-1].total, told[-1].skipped) == (7, 7, 2)


def test_vectors_are_kept_and_read_again(split, tmp_path, monkeypatch):
    monkeypatch.setattr(embed_module, "_SHARD", 2)
    encoder, cache = Colour(), tmp_path / "cache"
    first = embed(encoder, split.references, cache=cache)
    assert encoder.encoded == 3
    again = embed(encoder, split.references, cache=cache)
    assert encoder.encoded == 3
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.valid, again.valid)
    assert again.broken == first.broken
    assert again.broken[0].path == split.references.paths[1]
    # A picture that was painted over is encoded again, with the other of its shard; so are all, by other weights.
    paint(tmp_path / "tiles", "grey", (200, 200, 10))
    changed = embed(encoder, split.references, cache=cache)
    assert encoder.encoded == 5
    assert changed.vectors[3, 2] < 0.1
    encoder.weights_sha256 = "others"
    embed(encoder, split.references, cache=cache)
    assert encoder.encoded == 8


def test_a_damaged_file_of_vectors_is_made_again(split, tmp_path, caplog):
    encoder, cache = Colour(), tmp_path / "cache"
    first = embed(encoder, split.references, cache=cache)
    (file,) = cache.glob("*.safetensors")
    whole = file.read_bytes()
    for content in (b"", whole[:40], whole[: len(whole) - 8]):
        file.write_bytes(content)
        with caplog.at_level(logging.WARNING):
            np.testing.assert_array_equal(embed(encoder, split.references, cache=cache).vectors, first.vectors)
        assert f"{file} is damaged (SafetensorError): its pictures are encoded again" in caplog.messages
        caplog.clear()
        assert file.read_bytes() == whole


def test_an_interrupted_run_goes_on(split, tmp_path, monkeypatch):
    monkeypatch.setattr(embed_module, "_SHARD", 2)

    class Stopping(Colour):
        def encode(self, prepared):
            if self.encoded:
                raise KeyboardInterrupt
            return super().encode(prepared)

    with pytest.raises(KeyboardInterrupt):
        embed(Stopping(), split.references, cache=tmp_path / "cache")
    encoder = Colour()
    found = embed(encoder, split.references, cache=tmp_path / "cache")
    assert encoder.encoded == 2  # the first of two shards was there
    np.testing.assert_array_equal(found.vectors, embed(Colour(), split.references).vectors)


def test_errors_name_what_is_wrong(split, tmp_path):
    with pytest.raises(InputError, match="an encoder for satellite images"):
        embed(Colour(views=("ground",)), split.references)
    gone = pictures([str(tmp_path / "gone" / "1.jpg")] * 2, TILE)
    with pytest.raises(InputError, match=r"pictures that can be read; found none of 2; .*1\.jpg: no such file"):
        embed(Colour(), gone)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder for vectors"):
        embed(Colour(), split.queries, cache=tmp_path / "file" / "cache")
    assert len(embed(Colour(), pictures([], TILE)).vectors) == 0
