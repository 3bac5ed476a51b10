"""Outcomes as figures, tables of words, pages: against numbers made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from geosleuth.training.evaluate.ablations.arm import ERROR, Ablation, ArmResult
from geosleuth.training.evaluate.ablations.figures import AUC, summarised
from geosleuth.training.evaluate.ablations.grids import grids
from geosleuth.training.evaluate.ablations.record import AblationRecord, AblationReport
from geosleuth.training.evaluate.ablations.report import PAGE, REPORT_FILE, markdown, write_report
from geosleuth.training.evaluate.ablations.run import Outcome


def table(**changes: object) -> Ablation:
    settings: dict[str, object] = {
        "name": "invented",
        "title": "Invented",
        "question": "Which?",
        "run": lambda _: {},
        "baseline": "off",
        "note": "A note.",
    }
    return Ablation(**{**settings, **changes})  # type: ignore[arg-type]


def outcome(number: int, arms: Mapping[str, ArmResult], place: str | None = None) -> Outcome:
    return Outcome(key=str(number), table="invented", query=f"{number}.jpg", place=place or str(number), arms=arms)


def hits(off: Sequence[int], on: Sequence[int | None]) -> list[Outcome]:
    return [
        outcome(i, {"off": ArmResult(values={"recall@1": a}), "on": ArmResult(values={"recall@1": b})})
        for i, (a, b) in enumerate(zip(off, on, strict=True))
    ]


def record(outcomes: Sequence[Outcome], **changes: object) -> AblationRecord:
    return summarised(table(**changes), outcomes, data="Four photos", facts={"prior": "none", "gallery": "9"})


def figure(found: AblationRecord, arm: str, name: str) -> float | None:
    return next(one.figures[name].value for one in found.arms if one.name == arm)


def test_shares_and_what_was_gained_and_lost() -> None:
    off, on = [1, 0, 0, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 1, 0, 1]
    found = record(hits(off, on))
    assert figure(found, "off", "recall@1") == 2 / 8
    assert figure(found, "on", "recall@1") == 6 / 8
    (change,) = found.changes
    assert (change.arm, change.against, change.gained, change.lost) == ("on", "off", 5, 1)
    assert change.difference.value == pytest.approx(0.5)
    assert change.p == pytest.approx(2 * (1 + 6) / 2**6)  # of six coins none or one falls the other way
    assert change.difference.low is not None
    assert change.difference.low < 0.5 < change.difference.high


def test_a_question_that_does_not_arise_counts_nowhere() -> None:
    found = record(hits([1, 1, 0, 0], [None, 1, 0, None]))
    assert figure(found, "on", "recall@1") == 1 / 2
    assert (found.changes[0].gained, found.changes[0].lost) == (0, 0)


def test_errors_become_a_median_and_shares_within_distances() -> None:
    km = [0.5, 20.0, 300.0, None]
    found = record([outcome(i, {"off": ArmResult(values={ERROR: one})}) for i, one in enumerate(km)])
    assert figure(found, "off", "median km") == 20.0
    shares = [figure(found, "off", f"within {at} km") for at in ("1", "25", "200", "750", "2,500")]
    assert shares == [1 / 3, 2 / 3, 2 / 3, 1, 1]


def test_calls_are_means_and_scores_have_an_auc_and_quantiles() -> None:
    scores = [((0.9, True), (0.5, False), (0.1, False)), ((0.4, True), (0.6, False))]
    rows = [outcome(i, {"off": ArmResult(values={"calls": 10.0 * i}, scores=one)}) for i, one in enumerate(scores)]
    found = record(rows)
    assert figure(found, "off", "calls per query") == 5.0
    assert figure(found, "off", AUC) == pytest.approx(4 / 6)  # 0.9 beats three, 0.4 beats one, of six pairs
    (one,) = found.distributions
    assert (one.right, one.wrong) == (2, 3)
    assert one.right_quantiles == (0.4, 0.4, 0.4, 0.9, 0.9)
    assert one.wrong_quantiles[2] == 0.5
    assert "AUC" in "\n".join(map(str, grids(found)))


def test_queries_of_one_place_are_one_witness() -> None:
    apart = record(hits([1, 0] * 8, [1, 0] * 8))
    one_place = [row.model_copy(update={"place": str(i % 2)}) for i, row in enumerate(hits([1, 0] * 8, [1, 0] * 8))]
    together = record(one_place)
    assert (apart.places, together.places) == (16, 2)
    widths = [r.arms[0].figures["recall@1"] for r in (apart, together)]
    assert widths[1].high - widths[1].low > widths[0].high - widths[0].low


def test_more_pairs_are_compared_where_both_arms_are_there() -> None:
    found = record(hits([1, 0], [1, 1]), baseline=None, pairs=(("on", "off"), ("on", "absent")))
    assert [(one.arm, one.against) for one in found.changes] == [("on", "off")]


def test_an_arm_that_some_queries_lack_is_left_out_and_told_of() -> None:
    rows = [outcome(i, {name: ArmResult(values={"recall@1": 1.0}) for name in ("off", "on")[: i + 1]}) for i in (0, 1)]
    found = record(rows)
    assert [one.name for one in found.arms] == ["off"]
    assert "Arms left out, since not every query has them: 1." in found.notes


def test_an_arm_without_the_primary_figure_is_compared_with_nothing() -> None:
    rows = [outcome(0, {"off": ArmResult(values={"recall@1": 1.0}), "on": ArmResult(values={"calls": 1.0})})]
    assert record(rows).changes == ()


def test_crossed_arms_stand_in_rows_and_columns() -> None:
    arms = {
        "nothing: at all": ArmResult(values={"recall@1": 1.0}),
        "wrong: submap": ArmResult(values={"recall@1": 0.0}),
        "wrong: point": ArmResult(values={"recall@1": 1.0}),
        "right: submap": ArmResult(values={"recall@1": 1.0}),
        "right: point": ArmResult(values={"recall@1": 1.0}),
    }
    found = record([outcome(i, arms) for i in range(4)], grid=True, baseline="nothing: at all")
    title, head, rows = grids(found)[0]
    assert (title, head) == ("recall@1", ["", "submap", "point"])
    assert [row[0] for row in rows] == ["nothing: at all", "wrong", "right"]
    assert rows[1][1].startswith("0.0 [0.0, 49.0")  # Wilson of none of four: 3.84 / 7.84
    assert rows[0][2] == ""


def test_pages_quote_what_files_are_called(tmp_path) -> None:
    name = "<b>|x"
    rows = [outcome(0, {name: ArmResult(values={"recall@1": 1.0})})]
    found = record(rows, baseline=None)
    text = markdown(found, "`made so`")
    assert "| &lt;b&gt;\\|x | 100.0" in text
    assert "Four photos: 1 queries of 1 places. gallery: 9." in text  # a fact that is none is left out
    assert "A note." in text
    assert text.startswith("## Invented\n")
    assert all(line.count("|") - line.count("\\|") == 3 for line in text.splitlines() if line.startswith("|"))
    assert "counts queries as independent" in text
    left_out = (("submaps", "it needs <u>"),)
    write_report(
        tmp_path / "report", AblationReport(tables=(found,), skipped=(("<i>.jpg", "gone"),), left_out=left_out)
    )
    page = (tmp_path / "report" / PAGE).read_text(encoding="utf-8")
    assert "<b>|x" not in page
    assert "&lt;b&gt;|x" in page
    assert "What could not be read: 1" in page
    assert "Tables that were not made" in page
    assert "it needs &lt;u&gt;" in page
    assert "<script" not in page
    again = AblationReport.model_validate_json((tmp_path / "report" / REPORT_FILE).read_text(encoding="utf-8"))
    assert again.tables == (found,)


def test_changes_of_crossed_arms_are_crossed_too() -> None:
    arms = [
        {
            "off": ArmResult(values={"recall@1": 0.0}),
            "wrong: submap": ArmResult(values={"recall@1": 0.0}),
            "right: submap": ArmResult(values={"recall@1": 1.0}),
        }
    ]
    found = record([outcome(i, arms[0]) for i in range(4)], grid=True)
    title, head, rows = grids(found)[1]
    assert "against 'off'" in title
    assert head == ["", "submap"]
    assert rows == [["wrong", "+0.0, p 1"], ["right", "+100.0, p 0.12"]]  # 2 / 2^4


def test_distances_take_columns_only_where_they_are_asked_for() -> None:
    rows = [outcome(0, {"off": ArmResult(values={"recall@1": 1.0, ERROR: 0.5, f"{ERROR}, of some": 2.0})})]
    _, head, (cells,) = grids(record(rows, baseline=None))[0]
    assert head == ["", "recall@1", "median km", "median km, of some"]
    assert cells[2:] == ["0.500", "2"]
    _, wide, _ = grids(record(rows, baseline=None, distances=True))[0]
    assert "within 25 km" in wide
