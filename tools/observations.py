"""A person's answers as evidence, and which question is worth asking next.

P(answer | country) = (1 - e) * share of the answer in the country + e / number of answers, where e is the question's
share of wrong answers. So no answer costs the truth more than its error allows, and the ratios need no further floor.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from geosleuth.indexes.countries import country_codes, driving_side
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.evidence import Evidence, OverRegions, Support
from geosleuth.tools.questions import QUESTIONS, Option, Question
from geosleuth.tools.region_means import country_means, over_regions
from geosleuth.tools.sign_shares import scripts_table

__all__ = ["QUESTIONS", "Option", "Question", "most_telling", "observation_evidence"]

_TILT_DEG = 23.44  # of the Earth's axis: between these latitudes the midday sun is in the north for a part of the year


def observation_evidence(question: str, option: str) -> list[Evidence]:
    """Turn one answer into evidence about the country.

    Raises:
        InputError: There is no such question, or it has no such answer; the error lists those that there are.
    """
    asked = QUESTIONS.get(question)
    if asked is None:
        raise InputError("the key of a question", repr(question), f"Questions are: {', '.join(QUESTIONS)}.")
    given = asked.option(option)
    if given is None:
        keys = ", ".join(one.key for one in asked.options)
        raise InputError(f"an answer to {question!r} ({asked.text})", repr(option), f"Answers are: {keys}.")
    rule = f"{asked.error:.0%} of answers are taken to be wrong: {asked.why_wrong}; the answer is: {given.text}"
    return [
        Evidence(
            tool="observation",
            type=f"observation.{question}",
            claim=f"The investigator sees that {given.says}.",
            likelihood=_likelihood(asked, given),
            group=_group(asked, given),
            support=(Support(rule=rule, source=asked.source),),  # `text` is for what stands in the photo
        )
    ]


def _group(asked: Question, given: Option) -> str:
    """A script that a person sees is the one that is read (tools/language.py names its group so)."""
    return f"script:{given.key}" if asked.key == "script" else f"observation:{asked.source_of_error}"


def most_telling(countries: Mapping[str, float], answered: Collection[str], n: int = 3) -> list[tuple[Question, float]]:
    """Rank the questions not yet answered by the bits that an answer is expected to tell about the country.

    These are the mutual information of answer and country. Questions that tell nothing are left out.

    Args:
        countries: Probability per country (ISO 3166-1 alpha-2); sums to at most 1, and is normalised here.
        answered: Keys of questions that need no asking.
        n: How many to return.
    """
    belief = np.array([max(countries.get(code, 0.0), 0.0) for code in country_codes()])
    if not belief.sum() > 0:
        return []
    belief /= belief.sum()
    bits = {key: _expected_bits(belief, _table(key)) for key in QUESTIONS if key not in answered}
    ranked = sorted(bits, key=lambda key: -bits[key])[:n]
    return [(QUESTIONS[key], bits[key]) for key in ranked if bits[key] >= _LEAST_BITS]


_LEAST_BITS = 0.05  # what a less telling answer would say is less than what one in twenty misjudges


def _expected_bits(belief: Floats, table: Floats) -> float:
    """Mutual information of answer and country: entropy of the answer less its mean entropy within a country."""
    return max(float(_entropy(belief @ table) - belief @ _entropy(table)), 0.0)


def _entropy(probabilities: Floats) -> Floats:
    return np.asarray(-(probabilities * np.log2(probabilities)).sum(axis=-1))  # the error keeps all above 0


def _likelihood(question: Question, option: Option) -> OverRegions:
    if question.key == "midday_sun":
        return over_regions(_with_error(question, _sun_in(option.key)))
    column = [one.key for one in question.options].index(option.key)
    chance = _table(question.key)[:, column]
    mean = math.log(float(chance.mean()))
    ratios = {code: round(math.log(p) - mean, 3) for code, p in zip(country_codes(), chance.tolist(), strict=True)}
    return OverRegions(log_ratios={code: ratio for code, ratio in ratios.items() if ratio != 0.0}, wrong=0.0)


def _with_error(question: Question, share: Floats) -> Floats:
    return (1.0 - question.error) * share + question.error / len(question.options)


@cache
def _table(key: str) -> Floats:
    """P(answer | country), (countries, answers); rows sum to 1."""
    question = QUESTIONS[key]
    shares = {"driving_side": _sides, "midday_sun": _halves, "script": _scripts}.get(key, lambda: _customs(question))()
    return _with_error(question, shares / shares.sum(axis=1, keepdims=True))


def _sides() -> Floats:
    sides = [option.key for option in QUESTIONS["driving_side"].options]
    return np.array([[float(driving_side(code) == side) for side in sides] for code in country_codes()])


def _halves() -> Floats:
    means = [country_means(_sun_in(option.key)) for option in QUESTIONS["midday_sun"].options]
    return np.array([[mean.get(code, 0.5) for mean in means] for code in country_codes()])


def _sun_in(side: str) -> Floats:
    """Share of the year's days on which the midday sun is on that side, per cell of the grid, (n,).

    The sun's declination runs through the year nearly as 23.44 degrees times a sine.
    """
    south = 0.5 + np.arcsin(np.clip(np.asarray(load_grid().lat) / _TILT_DEG, -1.0, 1.0)) / np.pi
    return np.asarray(south if side == "south" else 1.0 - south)


def _scripts() -> Floats:
    countries, shares = scripts_table()
    rows = {code: i for i, code in enumerate(countries)}
    columns = np.array([shares[option.key] for option in QUESTIONS["script"].options]).T
    return columns[[rows[code] for code in country_codes()]] + 1e-9  # a country without any of these scripts: even


def _customs(question: Question) -> Floats:
    """The shares of data/observations.tsv; a country without a row has the mean of those with one."""
    keys = [option.key for option in question.options]
    known = {code: [shares.get(key, 0.0) for key in keys] for code, shares in _rows().get(question.key, {}).items()}
    mean = np.mean(np.array(list(known.values())), axis=0)
    return np.array([known.get(code, mean) for code in country_codes()])


@cache
def _rows() -> dict[str, dict[str, dict[str, float]]]:
    """data/observations.tsv as question -> country -> answer -> share."""
    text = files("geosleuth.tools").joinpath("data/observations.tsv").read_text(encoding="utf-8")
    found: dict[str, dict[str, dict[str, float]]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            question, shares, countries, _ = line.split("\t")
            parsed = {key: float(share) / 100.0 for key, share in (part.split("=") for part in shares.split())}
            found.setdefault(question, {}).update(dict.fromkeys(countries.split(), parsed))
    return found
