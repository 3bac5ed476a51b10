"""The figures of a split as a table: a row per modality."""

from __future__ import annotations

from geosleuth.training.evaluate.cross_view.measures import KS, Measures, ModalityMeasures


def figures(measures: Measures) -> tuple[list[str], list[list[str]]]:
    """Return head and rows; the row of all queries is left out where there is one modality."""
    hits = [] if measures.overall.hit_rate is None else ["hit rate"]
    percent = f"R@1 % (k = {measures.overall.one_percent:,})"
    head = ["queries", "number", *(f"R@{k}" for k in KS), percent, *hits, "AP", "chance R@1"]
    return head, [[one.modality, f"{one.queries:,}", *_cells(one)] for one in kinds(measures)]


def kinds(measures: Measures) -> tuple[ModalityMeasures, ...]:
    """Return what is worth a row or a curve."""
    return measures.modalities if len(measures.modalities) == 1 else (measures.overall, *measures.modalities)


def share(value: float) -> str:
    """Write a share in percent; small ones, such as chance, with two digits that count."""
    percent = 100 * value
    return f"{percent:.1f} %" if percent >= 1 or not percent else f"{percent:.2g} %"


def interval(bounds: tuple[float, float]) -> str:
    """Write an interval in percent."""
    return f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"


def _cells(one: ModalityMeasures) -> list[str]:
    first = f"{share(one.recall[1])} {interval(one.recall_1_interval)}"
    hits = [] if one.hit_rate is None else [share(one.hit_rate)]
    rest = [share(one.recall[k]) for k in KS[1:]]
    return [first, *rest, share(one.recall_1_percent), *hits, share(one.average_precision), share(one.chance[1])]
