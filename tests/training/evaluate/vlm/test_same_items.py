"""Another run is held against the items before the model is asked about them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow
from geosleuth.training.evaluate.vlm.record import VlmRecord
from geosleuth.training.evaluate.vlm.same_items import check_pairs, check_views
from geosleuth.training.evaluate.vlm.verifier_rows import PairRow
from geosleuth.training.georeasoner.street_views import StreetView
from geosleuth.training.gleam_x.record import PairRecord


def view(folder: Path, number: int, country: str = "FR") -> StreetView:
    path = folder / f"{number}.jpg"
    path.write_bytes(bytes([number]))
    return StreetView(path, 48.8, 2.3, country, "Paris")


def run_over(task: str, *, views: list[StreetView] = (), pairs: tuple[PairRow, ...] = ()) -> VlmRecord:
    fields = dict.fromkeys(PriorRow.model_fields)
    rows = [
        PriorRow(
            **fields
            | {"item": "a", "photo": hashlib.sha256(one.path.read_bytes()).hexdigest(), "place": "p"}
            | {"truth": one.country, "true_city": one.city, "held_out": False}
            | dict.fromkeys(("readable", "answered", "city_right"), True)
        )
        for one in views
    ]
    named = {"model": "m", "weights": "w", "data": "views", "sections": (), "notes": (), "reliability": {}}
    return VlmRecord(task=task, prior_rows=tuple(rows), pair_rows=pairs, **named)


def test_the_same_views_pass_wherever_they_lie(tmp_path):
    other = run_over("prior", views=[view(tmp_path, 1), view(tmp_path, 2)])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    check_views([view(elsewhere, 1), view(elsewhere, 2)], other)
    check_views([], None)


def test_other_views_are_refused_by_number_truth_and_bytes(tmp_path):
    views = [view(tmp_path, 1), view(tmp_path, 2)]
    other = run_over("prior", views=views)
    with pytest.raises(
        InputError, match="the same 1 photos to compare with; found one of the prior on views, 2 photos"
    ):
        check_views(views[:1], other)
    with pytest.raises(InputError, match=r"the first that differs is .*/2\.jpg"):
        check_views([views[0], replace(views[1], country="DE")], other)
    views[0].path.write_bytes(b"another picture")
    with pytest.raises(InputError, match=r"the first that differs is .*/1\.jpg"):
        check_views(views, other)
    views[0].path.unlink()
    with pytest.raises(InputError, match=r"the first that differs is .*/1\.jpg"):
        check_views(views, other)


def test_a_view_that_the_other_run_could_not_read_is_held_by_its_truth_alone(tmp_path):
    one = view(tmp_path, 1)
    other = run_over("prior", views=[one])
    unread = other.prior_rows[0].model_copy(update={"photo": "1.jpg"})
    one.path.unlink()
    check_views([one], other.model_copy(update={"prior_rows": (unread,)}))


def test_pairs_are_held_by_name_paths_language_and_label(tmp_path):
    said = {"query_path": "q", "query_view": "ground", "query_modality": "m", "satellite_path": "s"}
    pair = PairRecord(pair_id="1", label="match", lang="en", source_dataset="d", **said)
    row = PairRow(item="1", lang="en", query="q", tile="s", modality="m", rank=None, match=True, logit=None)
    other = run_over("verifier", pairs=(row,))
    check_pairs([pair], other)
    check_pairs([pair], None)
    for change in ({"label": "no_match"}, {"lang": "zh"}, {"satellite_path": "t"}, {"pair_id": "2"}):
        with pytest.raises(InputError, match="the first that differs is"):
            check_pairs([pair.model_copy(update=change)], other)
    with pytest.raises(InputError, match="the prior on the same 1 photos to compare with; found one of the verifier"):
        check_views([view(tmp_path, 1)], other)
    with pytest.raises(InputError, match="the verifier on the same 1 pairs"):
        check_pairs([pair], run_over("prior", views=[view(tmp_path, 1)]))
