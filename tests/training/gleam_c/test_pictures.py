import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Pictures
from geosleuth.training.gleam_c.config import AugmentConfig
from geosleuth.training.gleam_c.pictures import (
    Pair,
    _Collate,
    embedding_loader,
    pair_loader,
    read_picture,
)

torch = pytest.importorskip("torch")

SIZES = {"ground": (32, 32), "panorama": (32, 64), "drone": (32, 32), "satellite": (32, 32), "map": (48, 48)}
VIEWS = ("panorama", "drone", "map")


def columns(paths, views, modality):
    count = len(paths)
    modalities = tuple(Modality(view, view) for view in views)
    positions = np.full((count, 2), np.nan)
    return Pictures(paths, modalities, np.asarray(modality, np.int16), np.arange(count, dtype=np.int64), positions)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Nine invented pairs: noise, a third each of panoramas, drone pictures and maps; the sixth query is cut off."""
    root, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    paths = {"query": [], "tile": []}
    for number in range(9):
        for kind, shape in (("query", (40, 80, 3)), ("tile", (64, 64, 3))):
            path = root / f"{kind}{number}.{'jpg' if number % 2 else 'png'}"
            Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(path)
            paths[kind].append(str(path))
    broken = Path(paths["query"][5])
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 3])
    queries = columns(paths["query"], VIEWS, [0, 1, 2] * 3)
    return CrossViewSet("noise", "train", queries, columns(paths["tile"], ("satellite",), [0] * 9))


def read(pairs, batches, *, epoch=0, first_step=0, workers=0, augment=AugmentConfig(), seed=7):  # noqa: B008
    return list(
        pair_loader(
            pairs,
            np.asarray(batches),
            np.arange(9),
            sizes=SIZES,
            augment=augment,
            seed=seed,
            epoch=epoch,
            first_step=first_step,
            workers=workers,
        )
    )


def by_query(batch, queries):
    """The query pictures of a batch by their number, the grouping undone."""
    pictures = [picture for group in batch.queries for picture in group]
    return {queries[row]: picture.numpy() for row, picture in zip(batch.query_rows.tolist(), pictures, strict=True)}


def is_same(one, other):
    return (
        all(torch.equal(a, b) for a, b in zip(one.queries, other.queries, strict=True))
        and all(torch.equal(a, b) for a, b in zip(one.references, other.references, strict=True))
        and torch.equal(one.query_rows, other.query_rows)
        and torch.equal(one.valid, other.valid)
        and one.broken == other.broken
    )


def test_workers_and_resumption_change_nothing(pairs):
    batches = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 3, 1, 0]]
    here = read(pairs, batches)
    assert len(here) == 3
    assert all(is_same(a, b) for a, b in zip(here, read(pairs, batches, workers=2), strict=True))
    assert all(is_same(a, b) for a, b in zip(here[1:], read(pairs, batches, first_step=1), strict=True))
    assert read(pairs, batches, first_step=3) == []


def test_a_pair_looks_the_same_in_any_batch_and_other_in_another_epoch(pairs):
    order, other = [0, 1, 2, 8], [8, 2, 1, 0]
    first, second = (by_query(read(pairs, [queries])[0], queries) for queries in (order, other))
    later, reseeded = (by_query(read(pairs, [order], **change)[0], order) for change in ({"epoch": 1}, {"seed": 8}))
    for query in order:
        assert np.array_equal(first[query], second[query])
    assert any(not np.array_equal(first[query], later[query]) for query in order)
    assert any(not np.array_equal(first[query], reseeded[query]) for query in order)


def test_without_augmentation_it_is_the_picture_as_the_index_reads_it(pairs):
    queries = [0, 1, 2, 3]
    (batch,) = read(pairs, [queries], augment=None)
    found = by_query(batch, queries)
    for query in queries:
        size = SIZES[VIEWS[query % 3]]
        expected = read_picture(pairs.queries.paths[query], size, side_px=64)
        assert np.array_equal(found[query], expected.transpose(2, 0, 1))
        tile = read_picture(pairs.references.paths[query], (32, 32), side_px=64)
        assert np.array_equal(batch.references[0][query].numpy(), tile.transpose(2, 0, 1))
    assert [tuple(group.shape) for group in batch.queries] == [(2, 3, 32, 64), (1, 3, 32, 32), (1, 3, 48, 48)]
    assert batch.queries[0].dtype == torch.uint8
    assert batch.query_rows.tolist() == [0, 3, 1, 2]


def test_a_picture_that_is_cut_off_is_black_and_not_valid(pairs, caplog):
    caplog.set_level("INFO")
    queries = [4, 5, 6, 7]
    (batch,) = read(pairs, [queries])
    assert batch.valid.tolist() == [True, False, True, True]
    assert batch.broken == (pairs.queries.paths[5],)
    assert not by_query(batch, queries)[5].any()
    assert batch.references[0][1].any()
    assert "cannot be decoded" in caplog.text


def test_a_function_may_say_which_reference(pairs):
    (batch,) = pair_loader(
        pairs, np.array([[0, 1]]), lambda queries: queries + 2, sizes=SIZES, augment=None, seed=0, epoch=0
    )
    expected = read_picture(pairs.references.paths[3], (32, 32), side_px=64)
    assert np.array_equal(batch.references[0][1].numpy(), expected.transpose(2, 0, 1))


def test_references_of_two_sizes_are_refused(pairs):
    mixed = columns(pairs.references.paths, ("satellite", "map"), [0] * 8 + [1])
    with pytest.raises(InputError, match=r"references of one size; found \[\(32, 32\), \(48, 48\)\]"):
        read(CrossViewSet("mixed", "train", pairs.queries, mixed), [[0, 1]])


@given(st.lists(st.sampled_from(VIEWS), min_size=1, max_size=9))
@settings(max_examples=25, deadline=None)
def test_the_grouping_is_undone_by_its_rows(views):
    tile = np.zeros((*SIZES["satellite"], 3), np.uint8)
    pairs = [
        Pair(np.full((*SIZES[view], 3), row, np.uint8), tile, view, "satellite", ()) for row, view in enumerate(views)
    ]
    batch = _Collate(SIZES)(pairs)
    values = torch.cat([group[:, 0, 0, 0] for group in batch.queries])
    assert torch.empty_like(values).index_copy(0, batch.query_rows, values).tolist() == list(range(len(views)))
    assert len(batch.queries) == len({SIZES[view] for view in views})


@pytest.mark.parametrize("workers", [0, 1])
def test_the_embedding_loader_reads_each_picture_once(pairs, workers):
    seen = {}
    for indices, groups, valid in embedding_loader(pairs.queries, SIZES, 4, workers):
        pictures = [picture for group in groups for picture in group]
        assert len(pictures) == len(indices) == len(valid) <= 4
        seen |= {int(i): (p, bool(v)) for i, p, v in zip(indices, pictures, valid, strict=True)}
    assert sorted(seen) == list(range(9))
    for index, (picture, is_valid) in seen.items():
        expected = read_picture(pairs.queries.paths[index], SIZES[VIEWS[index % 3]], side_px=64)
        assert is_valid == (expected is not None) == (index != 5)
        assert np.array_equal(picture.numpy(), 0 * picture if expected is None else expected.transpose(2, 0, 1))


def test_a_picture_is_turned_upright_and_reduced_while_it_is_decoded(tmp_path):
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, :64] = (250, 5, 5)  # red at the left: at the top once it is turned clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    found = read_picture(tmp_path / "turned.jpg", (32, 16))
    assert found.shape == (32, 16, 3)
    assert np.abs(found[:14].astype(int) - (250, 5, 5)).max() < 12
    assert found[18:].max() < 12
    Image.fromarray(picture[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_picture(tmp_path / "grey.png", (64, 128)), picture[..., [0, 0, 0]])


def test_what_is_no_picture_is_left_out_with_a_reason(tmp_path, caplog):
    caplog.set_level("INFO")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    (tmp_path / "text.jpg").write_text("not a picture")
    for name, reason in (("bomb.png", "220 megapixels"), ("text.jpg", "text"), ("none.jpg", "no such file")):
        caplog.clear()
        assert read_picture(tmp_path / name, (32, 32)) is None
        assert reason in caplog.text


def test_workers_start_although_opencv_has_threads(pairs):
    cv2 = pytest.importorskip("cv2")
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        cv2.GaussianBlur(np.zeros((1000, 1000, 3), np.uint8), (0, 0), 3)  # large enough for its threads to start
        assert len(read(pairs, [[0, 1]], workers=1)) == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
