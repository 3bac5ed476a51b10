"""What share of a country's street text is in which language, per script, as matrices for the language model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.languages import script_probability, sign_languages
from geosleuth.indexes.scripts import scripts_of

# Languages that a word table knows under one common code: wordfreq's "sh" is Bosnian, Croatian and Serbian together.
LISTED_AS = {"sr": "sh", "hr": "sh", "bs": "sh", "cnr": "sh", "no": "nb", "nn": "nb", "tl": "fil"}

# Share of text in languages that are not the country's: restaurants, importers, embassies, tourists' cars. A judgement
# from counting shop fronts: one line in thirty is in a language that CLDR does not give the country.
FOREIGN_SHARE = 0.03
ENGLISH_NAMES = 0.08  # shops and brands with English names, beyond the English text that `sign_languages` expects


@dataclass(frozen=True)
class Shares:
    """Languages of one script: `of[c, l]` is P(language l | a line of this script in country c); rows sum to 1."""

    countries: tuple[str, ...]
    languages: tuple[str, ...]
    of: Floats
    world: Floats  # (n_languages,), the mixture that a line has when the country is not known


@cache
def shares_of_script(script: str) -> Shares:
    """Return the shares for lines of one script; foreign languages have a floor in every country."""
    countries = country_codes()
    rows: list[dict[str, float]] = []
    for code in countries:
        row: dict[str, float] = {}
        for language, share in sign_languages(code).items():
            part = share * scripts_of(language, code).get(script, 0.0)
            if part > 0:
                listed = LISTED_AS.get(language, language)
                row[listed] = row.get(listed, 0.0) + part
        rows.append(row)
    languages = tuple(sorted({language for row in rows for language in row})) or ("und",)
    own = np.array([[row.get(language, 0.0) for language in languages] for row in rows])
    total = own.sum(axis=1, keepdims=True)
    has = total[:, 0] > 1e-4  # a country with less has no such text of its own, only foreigners'
    own = np.where(has[:, None], own / np.maximum(total, 1e-12), 0.0)
    # The root lets rarer languages catch up: abroad, languages are less unlike in number than at home.
    world = np.sqrt(own[has].mean(axis=0)) if has.any() else np.ones(len(languages))
    world /= world.sum()
    english = np.array([language == "en" for language in languages]) * ENGLISH_NAMES
    foreign = (FOREIGN_SHARE * world + english) / (FOREIGN_SHARE + english.sum())
    of = np.where(has[:, None], own, foreign) * (1 - FOREIGN_SHARE - english.sum())
    of = of + foreign * (FOREIGN_SHARE + english.sum())
    return Shares(countries, languages, of, world)


@cache
def scripts_table() -> tuple[tuple[str, ...], dict[str, Floats]]:
    """Return the countries, and per script P(a line is in it | country), shape (n_countries,)."""
    countries = country_codes()
    per_country = [script_probability(code) for code in countries]
    scripts = sorted({script for row in per_country for script in row})
    return countries, {s: np.array([row.get(s, 0.0) for row in per_country]) for s in scripts}
