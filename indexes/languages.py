"""Languages and scripts that one can expect to read in a country's streets, from CLDR's territory-language data.

CLDR says who speaks what, and what is official. Streets are written for readers and by authorities, so speakers are
turned into shares of readable street text by the rule of `sign_languages`, whose few constants are in `SignRule`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from geosleuth.indexes.countries import country, country_codes
from geosleuth.indexes.scripts import scripts_of
from geosleuth.indexes.spoken import base_language

# The six languages of the United Nations, Portuguese and German: what strangers to a country are addressed in.
WORLD_LANGUAGES = frozenset({"ar", "de", "en", "es", "fr", "pt", "ru", "zh"})

# Languages of former colonial administrations that stayed the languages of school, law and trade.
SCHOOL_LANGUAGES = frozenset({"en", "es", "fr", "pt"})

# UN M49 regions where they did: Africa, Southern and South-eastern Asia, Oceania, Latin America and the Caribbean.
SCHOOL_REGIONS = frozenset({"002", "034", "035", "009", "419"})

# Shares of readers where CLDR's speakers mislead, with the reason.
READERS: Mapping[tuple[str, str], float] = {
    ("BY", "ru"): 0.70,  # census 2009: 70 % speak Russian at home; CLDR has 12 %
    ("BY", "be"): 0.50,  # the same census: 53 % call it their mother tongue; CLDR has 100 %
    ("MD", "ru"): 0.40,  # CLDR has mother tongue only, 3 %
    ("MO", "pt"): 0.40,  # public signs are bilingual by law (Basic Law, article 9); 2 % speak it
    ("BE", "de"): 0.01,  # official in the east, 0.7 % of the population; CLDR counts who learned it, 22 %
    ("FI", "sv"): 0.10,  # mother tongue of 5 %, a third of the municipalities is bilingual; CLDR counts learners, 44 %
    ("SG", "zh"): 0.25,  # spoken by 77 %, but administration, shops and streets are named in English
    # The Gulf's foreign residents, 40 to 88 % of the population; CLDR has their English in the Emirates only.
    ("BH", "en"): 0.5,
    ("KW", "en"): 0.5,
    ("OM", "en"): 0.5,
    ("QA", "en"): 0.5,
    ("SA", "en"): 0.4,
}

# Latin-script languages beside a school language that are written as a matter of course, so not discounted.
WRITTEN_LOCALS = frozenset({"af"})


@dataclass(frozen=True, slots=True)
class SignRule:
    """Constants of the rule from speakers to street text; judgements, to be fitted on labelled photos later."""

    de_facto: float = 0.5  # weight of "de facto official" beside official (1.0): Russian in Ukraine, Wolof in Senegal
    regional: float = 0.5  # of "official in a region": bilingual signs there, the state's language elsewhere
    english_spoken: float = 0.25  # of English where it is not official: trade, chains, hotels write for its speakers
    unofficial: float = 0.05  # of any other unofficial language: few signs address a minority in its language
    local: float = 0.3  # of a Latin-script language beside a school language: Akan is spoken, English is written
    school_readers: float = 0.9  # those who can read can read the school language; adult literacy world-wide is 0.87
    english: float = 0.06  # English everywhere: chains, tourism, "OPEN", "STOP"
    english_beside: float = 0.15  # the same where the main script is not Latin: names are repeated for foreigners
    transliterated: float = 0.08  # Latin transcripts of names there (Vienna Convention on Road Signs, article 14)
    least: float = 0.0005  # shares below this are dropped


DEFAULT_RULE = SignRule()


class Speakers(NamedTuple):
    """One language of a territory in CLDR."""

    share: float  # of the population, first and second language, 0 to 1
    status: str | None  # official, de_facto_official, official_regional


@cache
def _speakers(code: str) -> dict[str, Speakers]:
    """Fold CLDR's rows to base languages; of the variants of one language the largest counts, not their sum."""
    from babel.languages import get_territory_language_info

    ranks = {"official": 3, "de_facto_official": 2, "official_regional": 1, None: 0}
    folded: dict[str, Speakers] = {}
    for identifier, row in get_territory_language_info(code).items():
        language = base_language(identifier)
        if language == "und":
            continue
        percent, status = float(row["population_percent"] or 0.0), row["official_status"]
        new = Speakers(min(percent / 100.0, 1.0), str(status) if status else None)
        old = folded.get(language, Speakers(0.0, None))
        higher = max(new.status, old.status, key=lambda name: ranks[name])
        folded[language] = Speakers(max(new.share, old.share), higher)
    return folded


def language_population(code: str) -> dict[str, float]:
    """Return the share of the population that speaks each language, 0 to 1, largest first (CLDR).

    Second languages count, so shares add up to more than 1.
    """
    rows = sorted(_speakers(code).items(), key=lambda row: -row[1].share)
    return {language: speakers.share for language, speakers in rows}


def official_languages(code: str, *, regional: bool = False) -> tuple[str, ...]:
    """Return the official languages, by law or in fact, largest first; with those of regions when asked for."""
    wanted = {"official", "de_facto_official"} | ({"official_regional"} if regional else set())
    return tuple(name for name in language_population(code) if _speakers(code)[name].status in wanted)


def official_area(language: str, *, regional: bool = False) -> frozenset[str]:
    """Return the countries where a language is official, by law or in fact."""
    base = base_language(language)
    return frozenset(code for code in country_codes() if base in official_languages(code, regional=regional))


@cache
def _sign_languages(code: str, rule: SignRule) -> dict[str, float]:
    speakers = _readers(code)
    if not speakers:
        return {"en": 1.0}  # Antarctica, Heard Island: stations, no streets
    weights = _official_weights(code, speakers, rule)
    _add_unofficial(weights, speakers, rule)
    total = sum(weights.values())
    shares = {language: weight / total for language, weight in weights.items()}
    main = max(shares, key=lambda name: shares[name])
    english = rule.english if "Latn" in scripts_of(main, code) else rule.english_beside
    shares = {language: share * (1.0 - english) for language, share in shares.items()}
    shares["en"] = shares.get("en", 0.0) + english
    kept = {name: share for name, share in shares.items() if share >= rule.least}
    scale = sum(kept.values())
    return {name: share / scale for name, share in sorted(kept.items(), key=lambda row: -row[1])}


def _readers(code: str) -> dict[str, Speakers]:
    corrections = {language: share for (place, language), share in READERS.items() if place == code}
    speakers = _speakers(code)
    for language, share in corrections.items():
        speakers = {**speakers, language: Speakers(share, speakers.get(language, Speakers(0.0, None)).status)}
    return speakers


def _official_weights(code: str, speakers: Mapping[str, Speakers], rule: SignRule) -> dict[str, float]:
    """Weigh the languages that have a status; lift school languages to all who read, discount their neighbours."""
    by_law = any(row.status == "official" for row in speakers.values())
    de_facto = rule.de_facto if by_law else 1.0
    factors = {"official": 1.0, "de_facto_official": de_facto, "official_regional": rule.regional}
    weights = {k: row.share * factors[row.status] for k, row in speakers.items() if row.status}
    if not SCHOOL_REGIONS.intersection(country(code).regions) or "053" in country(code).regions:  # 053: Australia, NZ
        return weights
    school = [k for k in weights if k in SCHOOL_LANGUAGES and speakers[k].status != "official_regional"]
    known = sum(speakers[language].share for language in school)
    if known <= 0.0:
        return weights
    for language in weights:
        if language in school:
            lifted = speakers[language].share * max(rule.school_readers / known, 1.0)
            weights[language] = max(weights[language], lifted)
        elif language not in WRITTEN_LOCALS and scripts_of(language, code).get("Latn", 0.0) > 0.5:
            weights[language] *= rule.local  # a script of its own is a written tradition: Hindi is not discounted
    return weights


def _add_unofficial(weights: dict[str, float], speakers: Mapping[str, Speakers], rule: SignRule) -> None:
    """Add the languages without a status.

    Residents whom no language of the country reaches (foreign workers in the Emirates) are addressed in the world
    languages that they know, at full weight.
    """
    others = {name: row.share for name, row in speakers.items() if row.status is None}
    world = sum(share for name, share in others.items() if name in WORLD_LANGUAGES)
    reached = sum(row.share for row in speakers.values()) - world
    unreached = min(max(1.0 - reached, 0.0), world)
    for name, share in others.items():
        full = unreached * share / world if name in WORLD_LANGUAGES and world else 0.0
        weights[name] = full + (share - full) * (rule.english_spoken if name == "en" else rule.unofficial)


def sign_languages(code: str, rule: SignRule = DEFAULT_RULE) -> dict[str, float]:
    """Return the expected share of each language among the readable street text of a country, largest first; sum 1.

    The rule: each language weighs its readers times a factor of its status. Where a colonial language is the language
    of school (Ghana, the Philippines, India), it is read by all who read, and Latin-script languages beside it are
    spoken more than written. English is mixed in everywhere. CLDR's data are at the level of countries: Catalan is a
    tenth of Spain's text by this rule, and most of Catalonia's. Serbian, Croatian and Bosnian are kept apart, though
    a short text seldom tells which of them it is.
    """
    return dict(_sign_languages(code, rule))


@cache
def _script_probability(code: str, rule: SignRule) -> dict[str, float]:
    shares: dict[str, float] = defaultdict(float)
    for language, share in _sign_languages(code, rule).items():
        for script, part in scripts_of(language, code).items():
            shares[script] += share * part
    if max(shares, key=lambda name: shares[name]) != "Latn":
        shares = defaultdict(float, {k: v * (1.0 - rule.transliterated) for k, v in shares.items()})
        shares["Latn"] += rule.transliterated
    return dict(sorted(shares.items(), key=lambda row: -row[1]))


def script_probability(code: str, rule: SignRule = DEFAULT_RULE) -> dict[str, float]:
    """Return the expected share of each script (ISO 15924) in the street text of a country, largest first; sum 1."""
    return dict(_script_probability(code, rule))
