"""The gate: paired tests by hand, and when reranking is on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.rerank_gate import GateFile, gate_allows, measured_gate, read_gate, sign_test, write_gate

FACTS: dict[str, Any] = {
    "strategy": "pairwise",
    "weights": "qwen 0123",
    "sample": "a walk, 40 photos",
    "date": "2026-11-21",
    "among": 10,
}


def gate(before: list[int | None], after: list[int | None], **changes: Any) -> GateFile:
    return measured_gate(before, after, **(FACTS | changes))


def test_the_sign_test_counts_coins() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(1, 0) == 1.0  # 2 * 1/2
    assert sign_test(6, 0) == pytest.approx(2 / 64)
    assert sign_test(8, 2) == sign_test(2, 8) == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert sign_test(5, 5) == 1.0
    assert sign_test(1100, 1000) == pytest.approx(0.0308, abs=5e-4)  # normal, with continuity: z = 99 / sqrt(2100)


def test_ranks_are_compared_photo_by_photo() -> None:
    #        stays, won, lost, rises, falls, never there
    measured = gate([1, 2, 1, 4, 2, None], [1, 1, 2, 2, 3, None])
    assert (measured.queries, measured.found) == (6, 5)
    assert (measured.first_before, measured.first_after, measured.gained, measured.lost) == (2, 2, 1, 1)
    assert (measured.better, measured.worse) == (2, 2)
    assert measured.reciprocal_before == pytest.approx((1 + 1 / 2 + 1 + 1 / 4 + 1 / 2) / 6)
    assert measured.reciprocal_after == pytest.approx((1 + 1 + 1 / 2 + 1 / 2 + 1 / 3) / 6)
    assert measured.p_first == measured.p_rank == 1.0
    assert measured.verdict == "unclear"


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([2] * 6 + [1] * 34, [1] * 40, "helps"),  # 6 gained, none lost: p = 0.031
        ([2] * 5 + [1] * 35, [1] * 40, "unclear"),  # p = 0.0625
        ([1] * 40, [2] + [1] * 39, "harms"),  # one lost is enough
        ([2, 1, 1] + [1] * 37, [1, 2, 2] + [1] * 37, "harms"),
        ([2] * 40, [3] * 6 + [2] * 34, "harms"),  # none won or lost, but six fall: p = 0.031
        ([2] * 40, [3] * 5 + [2] * 35, "unclear"),
        ([2, *[3] * 12, *[1] * 27], [1, *[4] * 12, *[1] * 27], "harms"),  # one won, twelve fall: p = 0.003
        ([1] * 40, [1] * 40, "unclear"),
        ([], [], "unclear"),
    ],
)
def test_harm_is_presumed_early_and_help_is_not(
    before: list[int | None], after: list[int | None], verdict: str
) -> None:
    assert gate(before, after).verdict == verdict


def test_the_gate_opens_for_what_was_measured_alone(tmp_path: Path) -> None:
    path = tmp_path / "gates" / "gate.json"
    write_gate(gate([2] * 6 + [1] * 34, [1] * 40), path)
    decision = gate_allows(path, "pairwise", "qwen 0123")
    assert decision.allowed
    assert decision.reason == "it helps: R@1 34 -> 40 of 40 photos (6 gained, 0 lost, p = 0.031)"
    other = gate_allows(path, "pairwise", "qwen 4567")
    assert not other.allowed
    assert "measured for pairwise by qwen 0123, not for pairwise by qwen 4567: measure it by" in other.reason
    other = gate_allows(path, "likert", "qwen 0123")
    assert not other.allowed
    assert "not for likert by qwen 0123" in other.reason


def test_the_gate_is_shut_by_harm_and_by_too_few_photos(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    write_gate(gate([1] * 40, [2] + [1] * 39), path)
    assert gate_allows(path, "pairwise", "qwen 0123").reason.startswith("it harms: R@1 40 -> 39 of 40")
    assert not gate_allows(path, "pairwise", "qwen 0123").allowed
    write_gate(gate([1] * 40, [1] * 40), path)
    decision = gate_allows(path, "pairwise", "qwen 0123")
    assert (decision.allowed, decision.reason.split(":")[0]) == (True, "no harm is seen, and no help proven")
    write_gate(gate([2] * 29 + [None] * 100, [1] * 29 + [None] * 100), path)  # 29 that could be won or lost
    decision = gate_allows(path, "pairwise", "qwen 0123")
    assert not decision.allowed
    assert "only 29 photos" in decision.reason
    assert "30 are needed" in decision.reason


def test_a_gate_file_survives_the_disk(tmp_path: Path) -> None:
    measured = gate([2, 1, None], [1, 2, None], failures=4)
    write_gate(measured, tmp_path / "gate.json")
    assert read_gate(tmp_path / "gate.json") == measured
    assert read_gate(tmp_path / "gate.json").failures == 4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "No such file"),
        ("{", "the file: invalid json"),
        ('{"version": 2}', "version: input should be 1"),
        (json.dumps(json.loads(gate([1], [1]).model_dump_json()) | {"gained": 3}), "the counts do not add up"),
        (json.dumps(json.loads(gate([1], [1]).model_dump_json()) | {"strategy": "best"}), "strategy: input should be"),
        (json.dumps(json.loads(gate([1], [1]).model_dump_json()) | {"extra": 1}), "extra: extra inputs"),
    ],
)
def test_what_is_no_gate_file_is_refused(tmp_path: Path, text: str | None, found: str) -> None:
    path = tmp_path / "gate.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="Wanted a gate file; found") as caught:
        gate_allows(path, "pairwise", "qwen 0123")
    assert found in str(caught.value)
    assert "leave rerank_gate out" in str(caught.value)
