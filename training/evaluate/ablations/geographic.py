"""Geographic reranking: off, by the prior's point, by the belief; and how much geography weighs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosleuth.tools.reranking import rerank
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, recall
from geosleuth.training.evaluate.ablations.submaps import held_countries

if TYPE_CHECKING:
    from geosleuth.training.evaluate.ablations.setup import Look

POINT_WEIGHTS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # 0.2 is the tool's
BELIEF_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)  # 0.25 is the tool's
OFF = "off"


def run(look: Look) -> Results:
    """Order the candidates of the whole gallery, and with each way switched on those of the submap."""
    opinion = look.opinion
    arms = {OFF: look.found}
    for weight in POINT_WEIGHTS:
        arms[f"by the point, weight {weight:g}"] = rerank(look.found, "point", point=opinion.point, weight=weight)
    for weight in BELIEF_WEIGHTS:
        arms[f"by the belief, weight {weight:g}"] = rerank(
            look.found, "belief", log_density=opinion.log_density, weight=weight
        )
    inside = look.search(held_countries(opinion, look.setup.buffer_km)).candidates
    arms["submap, off"] = inside
    arms["submap, by the point"] = rerank(inside, "point", point=opinion.point)
    arms["submap, by the belief"] = rerank(inside, "belief", log_density=opinion.log_density)
    return {name: ArmResult(values=recall(look, candidates)) for name, candidates in arms.items()}


TABLE = Ablation(
    "geographic",
    "(b) Geographic reranking",
    "What does it help to order candidates by where they lie as well, and how much should that weigh?",
    run,
    baseline=OFF,
    pairs=(("submap, by the point", "submap, off"), ("submap, by the belief", "submap, off")),
    needs_prior=True,
    distances=True,
    note=(
        "The first 100 candidates are reordered. The submap: the countries that hold 95 % of the belief, buffered. "
        "Default weights: 0.2 of the point, 0.25 of the belief."
    ),
)
