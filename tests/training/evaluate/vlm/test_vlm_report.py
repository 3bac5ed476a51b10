"""The page and the tables of a report, and one run beside another."""

import re

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.vlm.explanations import ExplanationRow
from geosleuth.training.evaluate.vlm.grounding import GroundingRow
from geosleuth.training.evaluate.vlm.intervals import Figure
from geosleuth.training.evaluate.vlm.prior_measures import by_locatability, prior_statistics
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow
from geosleuth.training.evaluate.vlm.record import Section, VlmRecord, compared, read_record
from geosleuth.training.evaluate.vlm.reliability import bins_of
from geosleuth.training.evaluate.vlm.report import write_report
from geosleuth.training.evaluate.vlm.run import some, some_pairs
from geosleuth.training.evaluate.vlm.table import rows_of, words
from geosleuth.training.evaluate.vlm.verifier_rows import PairRow


def row(number: int, right: bool, **changes) -> PriorRow:
    filled = {
        "item": f"{number}.jpg",
        "photo": str(number),
        "place": str(number),
        "truth": "FR",
        "true_city": None,
        "locatability": number / 10,
        "readable": True,
        "answered": True,
        "country": "FR" if right else "DE",
        "city": None,
        "city_right": False,
        "error_km": 10.0 if right else 900.0,
        "placed_by": "country",
        "top": "FR" if right else "DE",
        "top_share": 0.8,
        "set_size": 1,
        "in_set": right,
        "region_in_set": True,
    }
    return PriorRow(**(filled | changes))


def prior(rights: list[bool], **changes) -> VlmRecord:
    rows = [row(i, right) for i, right in enumerate(rights)]
    column = {"country: accuracy, all": Figure(value=0.5, low=0.25, high=0.75)}
    bins = dict.fromkeys(by_locatability(rows), column)
    sections = (
        Section(title="Figures", columns={"all": column}, counts={"all": len(rows)}),
        Section(title="By locatability", columns=bins, counts=dict.fromkeys(bins, 1)),
    )
    filled = {
        "task": "prior",
        "model": "dir:<model>",
        "weights": "m@1",
        "data": "views",
        "sections": sections,
        "notes": ("A <note>.",),
        "reliability": {"likeliest country": bins_of([0.8] * len(rows), rights)},
        "prior_rows": tuple(rows),
    }
    return VlmRecord(**(filled | changes))


def test_the_page_has_all_drawings_and_no_foreign_markup(tmp_path):
    record, other = prior([True, False, True, False]), prior([False, False, True, False], model="dir:other")
    write_report(tmp_path / "out", record, {"Wrong countries": "<p>rows</p>"}, compare=other)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "dir:&lt;model&gt;" in page
    assert "<model>" not in page
    assert "A &lt;note&gt;." in page
    assert page.count("<svg") == 2  # bars, reliability
    assert "<script" not in page
    assert not re.search(r'(src|href)="http', page)
    assert "50.0 % [25.0, 75.0]" in page
    assert "This run less the other (dir:other" in page
    assert read_record(tmp_path / "out") == record


def test_two_runs_are_compared_row_by_row():
    change = compared(prior([True, True, True, False]), prior([True, False, False, False]))
    figure = change.columns["difference"]["country: accuracy, all"]
    assert figure.value == 0.5
    assert 0.0 <= figure.low < 0.5 < figure.high <= 1.0
    assert change.columns["difference"]["within 25 km"].value == 0.5
    assert change.columns["difference"]["median km, of the placed"].value == 10.0 - 900.0


def test_held_out_rows_are_compared_by_no_accuracy():
    rows = (row(0, True), row(1, True, held_out=True))
    this = prior([True, True], prior_rows=rows)
    change = compared(this, prior([True, False]))
    assert change.counts == {"difference": 1}
    assert change.columns["difference"]["country: accuracy, all"].value == 0.0


@pytest.mark.parametrize("other", [prior([True] * 3), prior([True] * 4, task="verifier")])
def test_other_items_are_not_compared(other):
    with pytest.raises(InputError, match="a report of the prior on the same 4 photos"):
        compared(prior([True] * 4), other)


def test_verdicts_are_compared_once_per_pair():
    def pairs(logits) -> VlmRecord:
        rows = [
            PairRow(item=str(i), lang=lang, query=str(i), tile="t", modality="m", rank=None, match=i < 2, logit=logit)
            for i, logit in enumerate(logits)
            for lang in ("en", "zh")
        ]
        return prior([], task="verifier", prior_rows=(), pair_rows=tuple(rows))

    change = compared(pairs([1.0, 1.0, -1.0, -1.0]), pairs([-1.0, -1.0, -1.0, -1.0]))
    assert change.counts == {"verdicts": 4}
    found = {name: figure.value for name, figure in change.columns["verdicts"].items()}
    assert found["accuracy"] == found["TPR"] / 2 == 0.5
    assert found["TNR"] == 0.0
    assert found["yes-rate less base rate"] == 0.5


def test_explanations_are_compared_where_both_runs_have_them():
    def explained(readable: dict[str, bool], kept: int) -> VlmRecord:
        names = {"verdict_right": True, "finished": True, "language_right": True, "contradicts": False}
        rows = [
            ExplanationRow(item=i, lang="en", query=i, readable=one, characters=9, similarity=None, tokens=9, **names)
            for i, one in readable.items()
        ]
        counts = {"named": 2, "shown": 2, "agreeing": 1, "agreeing_in_both": 1, "disagreeing": 0}
        counts |= {"disagreeing_in_one": 0, "there": None, "must_go": 2, "kept": kept, "same_text": False}
        checked = GroundingRow(item="a", lang="en", query="a", swapped="t", **counts)
        filled = {"explanation_rows": tuple(rows), "grounding_rows": (checked,), "prior_rows": ()}
        return prior([], task="verifier", **filled)

    change = compared(explained({"a": True, "b": True}, 0), explained({"b": False, "c": True}, 2))
    assert change.counts == {"verdicts": 0, "explanations": 1, "on the pictures": 1}
    assert change.columns["explanations"]["JSON valid at the first try"].value == 1.0
    assert change.columns["on the pictures"]["after the swap: kept of what must go"].value == -1.0


def test_a_report_that_is_none_is_refused(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(InputError, match="the report of another run to compare with"):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("accuracy", 0.5, "50.0 %"),
        ("yes-rate less base rate", -0.25, "-25.0 %"),
        ("AUC", 0.75, "0.750"),
        ("likeliest country: ECE", 0.0625, "0.062"),
        ("median km, of the placed", 1234.4, "1,234"),
        ("similarity to the reference, mean", 0.7123, "0.712"),
        ("hallucinated, per explanation", 1.25, "1.2"),
        ("similarity above 0.7", 0.5, "50.0 %"),
    ],
)
def test_figures_are_written_in_their_unit(name, value, written):
    assert words(name, Figure(value=value)) == written


def test_missing_figures_and_differences():
    figure = Figure(value=0.125, low=-0.05, high=0.3)
    assert words("accuracy", Figure(value=None)) == "-"
    assert words("accuracy", figure, signed=True) == "+12.5 points [-5.0, +30.0]"
    section = Section(title="t", columns={"a": {"accuracy": figure}, "b": {"AUC": figure}}, counts={"a": 3, "b": 4000})
    head, rows = rows_of(section)
    assert head == ["", "a (3)", "b (4,000)"]
    assert rows == [["accuracy", "12.5 % [-5.0, 30.0]", "-"], ["AUC", "-", "0.125 [-0.050, 0.300]"]]


def test_some_are_drawn_by_chance_and_always_the_same():
    items = list(range(100))
    drawn = some(items, 10)
    assert drawn == some(items, 10) == sorted(drawn)
    assert len(set(drawn)) == 10
    assert drawn != items[:10]
    assert some(items, None) == items == some(items, 200)


def test_pairs_are_drawn_in_all_their_languages():
    from geosleuth.training.gleam_x.record import PairRecord

    pair = {"query_path": "q", "query_view": "ground", "query_modality": "m", "satellite_path": "s", "label": "match"}
    names = [(str(i), lang) for i in range(5) for lang in ("en", "zh")]
    records = [PairRecord(pair_id=name, lang=lang, source_dataset="d", **pair) for name, lang in names]
    drawn = some_pairs(records, 2)
    assert [one.lang for one in drawn] == ["en", "zh", "en", "zh"]


def test_statistics_of_rows_without_probabilities():
    rows = [row(0, True, top=None, top_share=None, set_size=None, in_set=None, region_in_set=None)]
    assert not any("ECE" in name or "90 %" in name for name in prior_statistics(rows))
