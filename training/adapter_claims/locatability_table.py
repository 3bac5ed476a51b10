"""Whether a view's locatability says how well the taught prior does (GeoReasoner's premise), on towns not taught."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from geosleuth.training.adapter_claims.agent_table import PRIOR
from geosleuth.training.adapter_claims.geo_material import THRESHOLDS, geo_material
from geosleuth.training.adapter_claims.world import TOWNS
from geosleuth.training.evaluate.vlm.answer_file import AnswerFile
from geosleuth.training.evaluate.vlm.intervals import Figure, figures, share
from geosleuth.training.evaluate.vlm.prior import PriorAnswer, ask_views
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow, prior_rows
from geosleuth.training.locatability.correlation import Correlation, correlate

_LIKELIEST, _OF_TRUTH = "the likeliest country is right", "probability of the true country"
_READ = (_LIKELIEST, _OF_TRUTH)  # right or wrong is what counts; the probability tells more of each view


def locatability_section(work: Path, base: Path, runs: Path) -> str:
    """Ask the prior about every view of the held-out towns, and write the section; answers are kept.

    Args:
        work: Folder of the worlds.
        base: Folder of the model that the adapters are for.
        runs: Folder of the runs, in which `PRIOR` is trained.

    Raises:
        InputError: The world, an adapter or the model is not there.
    """
    from geosleuth.tools.vlm.load import load_vlm

    model = load_vlm(PRIOR.spec(base, runs))
    views = geo_material(work / TOWNS, work).held_out_towns
    asked = ask_views(views, model, AnswerFile(PRIOR.folder(runs) / "prior_answers.jsonl", PriorAnswer))
    of_truth = [
        answer.shares.get(view.country or "", 0.0) if answer and answer.shares else 0.0
        for view, answer in zip(asked.views, asked.answers, strict=True)
    ]
    return section(prior_rows(asked), of_truth)


def section(rows: Sequence[PriorRow], of_truth: Sequence[float]) -> str:
    """Write the section.

    Args:
        rows: Of views that have a score.
        of_truth: The probability that the prior gave to the true country of each.
    """
    scores = [row.locatability or 0.0 for row in rows]
    right = [float(row.country is not None and row.country == row.truth) for row in rows]
    likeliest = [float(row.top is not None and row.top == row.truth) for row in rows]
    placed = [(row.locatability or 0.0, row.error_km) for row in rows if row.error_km is not None]
    found = {
        "the country named is right": correlate(scores, right),
        _LIKELIEST: correlate(scores, likeliest),
        _OF_TRUTH: correlate(scores, of_truth),
        "km from the place named": correlate([score for score, _ in placed], [km for _, km in placed]),
    }
    towns = len({row.place for row in rows})
    about = (
        f"Does a view's locatability, by its own masks, say how well the prior does? {len(rows):,} views of {towns} "
        "towns that were not taught; reasoning, then location, one seed (synthetic). Views of one town are no "
        "independent witnesses, and the intervals of rho, by bootstrap over views, are a little too narrow for it.\n"
    )
    lines = [
        "## Locatability\n",
        about,
        "| locatability with | Spearman's rho, 95 % interval |",
        "|---|---|",
        *(f"| {name} | {one} |" for name, one in found.items()),
        "",
        *_bins(rows, right, likeliest),
        "",
        " ".join(_reading(name, found[name]) for name in _READ) + "\n",
        "`python -m geosleuth.training.adapter_claims locatability`\n",
    ]
    return "\n".join(lines)


def _bins(rows: Sequence[PriorRow], right: Sequence[float], likeliest: Sequence[float]) -> list[str]:
    """A row for each range of scores: the thresholds of the sweep, and what scores nothing at all."""
    lines = ["| locatability | views | country named right, % | likeliest country right, % |", "|---|---|---|---|"]
    edges = [*THRESHOLDS, 1.0]
    bins = [("0", [i for i, row in enumerate(rows) if (row.locatability or 0.0) <= edges[0]])]
    for low, high in pairwise(edges):
        own = [i for i, row in enumerate(rows) if low < (row.locatability or 0.0) <= high]
        bins.append((f"above {low:g} to {high:g}", own))
    for name, own in bins:
        if own:
            places = [rows[i].place for i in own]
            statistics = {"a": share([right[i] for i in own]), "b": share([likeliest[i] for i in own])}
            cells = figures(statistics, places)
            lines.append(f"| {name} | {len(own):,} | {_percent(cells['a'])} | {_percent(cells['b'])} |")
    return lines


def _percent(one: Figure) -> str:
    if one.value is None:
        return "-"
    if one.low is None or one.high is None:
        return f"{100 * one.value:.1f}"
    return f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


def _reading(name: str, one: Correlation) -> str:
    if one.rho is None or one.low is None or one.high is None:
        return f"{name.capitalize()}: all views are alike, and nothing can correlate with that."
    if one.low > 0:
        said = "views that show more of their place are placed better, as the paper says"
    elif one.high < 0:
        said = "views that score higher are placed worse, against the paper"
    else:
        said = "the interval of rho holds 0, and no relation is shown"
    return f"{name.capitalize()}: {said} (rho {one.rho:+.2f})."
