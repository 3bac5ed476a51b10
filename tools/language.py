"""From the words of a photo to its languages, and from languages to countries.

Per script, P(text | country) = sum over M of share(M) * product over lines of [r P(line | M) + (1 - r) sum over L of
share(L) P(line | L)]: a photo has a main language M, which a line has with probability r, else any language of the
country. So ten German lines are one witness for German, and a second language (French under Arabic) counts too.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.languages import language_population, official_area
from geosleuth.indexes.words import load_words
from geosleuth.tools.evidence import Evidence, OverRegions, Support
from geosleuth.tools.han_forms import form_ratios
from geosleuth.tools.quoting import quoted, together
from geosleuth.tools.scripts import count_scripts
from geosleuth.tools.sign_shares import LISTED_AS, Shares, scripts_table, shares_of_script
from geosleuth.tools.spelling import spelling_probabilities
from geosleuth.tools.textline import TextLine
from geosleuth.tools.word_model import split_words, word_probabilities

SAME_LANGUAGE = 0.7  # r: neighbouring lines mostly belong to one shop; the rest are other shops and second languages
NAMED = 0.6  # a language is named in the claim when its posterior is above this
SILENT_NATS = 0.05  # evidence with a smaller span over countries is not worth a line
# Share of a script in countries where CLDR has none: Thai restaurants, Chinese shops, Cyrillic stickers.
FOREIGN_SCRIPT = 0.02
# Scripts whose letters are drawn alike, so that a line of one is taken for another: by Unicode's confusables (UTS 39)
# for the first group, by common descent for the others.
LOOK_ALIKE = (
    frozenset({"Latn", "Cyrl", "Grek"}),
    frozenset({"Armn", "Geor", "Ethi"}),
    frozenset({"Deva", "Beng", "Guru", "Gujr"}),
    frozenset({"Telu", "Knda", "Sinh", "Mlym", "Taml", "Mymr"}),
    frozenset({"Thai", "Laoo", "Khmr"}),
    frozenset({"Hani", "Hang", "Jpan"}),
    frozenset({"Arab", "Hebr", "Thaa"}),
)
ALIKE_SHARE = 0.1  # of a classifier's errors; most are textures, ornaments and any other script
# P(the script is there) of a line with so few letters, over that of a longer one: windows, grilles and tiles are read
# as single characters (two of three such Han lines on street photos are none).
FEW_LETTERS = {0: 0.0, 1: 0.1, 2: 0.5}
NO_HAN_WORD = 0.3  # the same for Han lines without a word of two characters: names of shops, or noise read as signs
UNREAD_ODDS = 0.12  # few unread lines of street photos are what they seem; Greek is taken for Cyrillic at 0.8
KANA_SHARE = 0.15  # a line of Japanese has more; a single kana among other letters is a misreading
NO_ONES_SCRIPTS = frozenset({"Zyyy", "Zxxx", "Zinh"})


@dataclass(frozen=True)
class Words:
    """The words of one line, in one script."""

    line: TextLine
    words: tuple[str, ...]


def script_of(text: str) -> str:
    """Return the script (ISO 15924) of most letters; "Jpan" where kana is among them, "Zyyy" without letters."""
    counts = count_scripts(text)
    if counts["Hira"] + counts["Kana"] > KANA_SHARE * counts.total():
        return "Jpan"
    return max(counts, key=lambda script: counts[script]) if counts else "Zyyy"


def language_clues(lines: Sequence[TextLine]) -> list[Evidence]:
    """Return the evidence of scripts and of languages, at most one of each per script."""
    by_script: dict[str, list[TextLine]] = defaultdict(list)
    for line in lines:
        script = script_of(line.text) if line.readable else line.script
        if script not in NO_ONES_SCRIPTS:
            by_script[script].append(line)
    found = []
    for script, members in by_script.items():
        found += _script_clue(script, members, alone=len(by_script) == 1)
        found += _words_clue(script, [line for line in members if line.readable])
    return found


def over_countries(countries: Sequence[str], log_ratios: Floats) -> OverRegions | None:
    """Make a likelihood of ratios per country, their mean weight 1; None where they tell nothing."""
    if float(np.ptp(log_ratios)) < SILENT_NATS:
        return None
    ratios = log_ratios - np.log(np.mean(np.exp(log_ratios)))
    otherwise = float(np.median(ratios))
    kept = {c: round(float(r), 3) for c, r in zip(countries, ratios, strict=True) if abs(r - otherwise) > 0.01}
    return OverRegions(log_ratios=kept, otherwise=round(otherwise, 3))


def _script_clue(script: str, lines: Sequence[TextLine], *, alone: bool) -> list[Evidence]:
    countries, shares = scripts_table()
    if script not in shares:
        return []
    seen = _ratio(shares[script])
    best = max(lines, key=_confidence)
    written = together([_written(line) for line in lines])
    right = max(_right(line) for line in lines)
    # Latin is everywhere (logos, shop names), and what the recogniser reads best: that a photo shows it and no other
    # script says less than its share of lines.
    seen = np.sqrt(seen) if script == "Latn" and alone else seen
    # Bayes: P(look | country) is the sum over scripts of P(script | look) P(script | country) / P(script).
    alike = [_ratio(shares[other]) for group in LOOK_ALIKE if script in group for other in group - {script}]
    other = ALIKE_SHARE * np.mean(alike, axis=0) + 1 - ALIKE_SHARE if alike and script != "Latn" else 1.0
    look = right * seen / seen.mean() + (1 - right) * other
    likelihood = over_countries(countries, np.log(written * look + 1 - written))
    if likelihood is None or (script == "Latn" and not alone):
        return []
    claim = f"{_lines(lines)} in {_SCRIPT_NAMES.get(script, script)} script"
    if not best.readable:
        claim += ", which could not be read"
    source = "CLDR territory-language data"
    support = tuple(
        Support(box=line.box, text=quoted(line.text, bare=True) or None, script=script, source=source) for line in lines
    )
    return [
        Evidence(
            tool="reading",
            type="reading.script",
            claim=claim,
            likelihood=likelihood,
            group=f"script:{script}",
            support=support,
        )
    ]


def _ratio(share: Floats) -> Floats:
    """P(script | country) over its mean, with a floor: foreigners write everywhere."""
    seen = share + FOREIGN_SCRIPT * share.mean() ** 0.5
    return np.asarray(seen / seen.mean())


def _right(line: TextLine) -> float:
    """Probability that the line's script is what was said; a script that nobody read has no text to bear it out."""
    odds = line.script_confidence / max(1 - line.script_confidence, 1e-9)
    return line.script_confidence if line.readable else odds * UNREAD_ODDS / (1 + odds * UNREAD_ODDS)


def _confidence(line: TextLine) -> float:
    """Probability that letters of the script are there."""
    return line.script_confidence * _written(line)


def _written(line: TextLine) -> float:
    """Probability that anything is written there: a single sign, or a line read with doubt, may be a window."""
    if not line.readable:
        return 1.0  # the script's confidence has it
    letters = sum(unicodedata.category(char)[0] == "L" for char in line.text)
    words = 1.0
    if line.script in ("Hani", "Jpan") and letters > 1 and max(map(len, split_words(line.text)), default=0) < 2:
        words = NO_HAN_WORD
    return line.score * FEW_LETTERS.get(letters, 1.0) * words


def _lines(lines: Sequence[TextLine]) -> str:
    texts = [quoted(line.text) for line in lines if line.text]
    if not texts:
        return "A line" if len(lines) == 1 else f"{len(lines)} lines"
    shown = ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
    return f"Line {shown}" if len(lines) == 1 else f"Lines {shown}"


def _words_clue(script: str, lines: Sequence[TextLine]) -> list[Evidence]:
    with_words = [Words(line, tuple(split_words(line.text))) for line in lines]
    with_words = [words for words in _distinct(with_words) if words.words]
    shares = shares_of_script(script)
    if not with_words or len(shares.languages) < 2:
        return []
    # (lines, languages), each row divided by its mean under the world's mixture: products then stay near 1.
    per_line = np.array([_line_probabilities(words, shares) for words in with_words])
    per_line /= (per_line @ shares.world)[:, None]
    any_language = per_line @ shares.of.T  # (lines, countries)
    per_main = np.zeros(shares.of.shape)  # (countries, languages)
    for row, any_of in zip(per_line, any_language, strict=True):
        per_main += np.log(SAME_LANGUAGE * row[None, :] + (1 - SAME_LANGUAGE) * any_of[:, None])
    top = per_main.max()
    log_country = np.log((shares.of * np.exp(per_main - top)).sum(axis=1)) + top
    log_country += form_ratios(script, [words.line for words in with_words], shares.countries)
    likelihood = over_countries(shares.countries, log_country)
    if likelihood is None:
        return []
    log_photo = np.log(per_line).sum(axis=0)
    posterior = _even(shares) * np.exp(log_photo - log_photo.max())
    posterior /= posterior.sum()
    return [_evidence(script, with_words, shares, per_line, posterior, likelihood)]


def _even(shares: Shares) -> Floats:
    """Weigh the languages that have a word table alike, the others together as two, to name a line's language."""
    listed = np.array([language in load_words().languages for language in shares.languages])
    return np.where(listed, 1.0, 2.0 / max(int((~listed).sum()), 2))


def _line_probabilities(line: Words, shares: Shares) -> Floats:
    rows = [word_probabilities(word, shares.languages, line.line.score) for word in line.words]
    spelling = spelling_probabilities(line.words, shares.languages, line.line.score)
    return np.asarray(np.prod([spelling, *(row / (row @ shares.world) for row in rows)], axis=0))


def _distinct(lines: Sequence[Words]) -> list[Words]:
    """Keep each word once per photo, in the line that was read best: a repeated word is one word."""
    seen: set[str] = set()
    out = []
    for entry in sorted(lines, key=lambda words: -words.line.score):
        new = tuple(dict.fromkeys(word for word in entry.words if word.casefold() not in seen))
        seen.update(word.casefold() for word in new)
        out.append(Words(entry.line, new))
    return out


def _evidence(
    script: str, lines: Sequence[Words], shares: Shares, per_line: Floats, posterior: Floats, likelihood: OverRegions
) -> Evidence:
    main = int(np.argmax(posterior))
    support = []
    for row, words in zip(per_line, lines, strict=True):
        own = _even(shares) * row / (_even(shares) @ row)
        best = int(np.argmax(own))
        code = shares.languages[best] if own[best] > NAMED else None
        support.append(
            Support(
                box=words.line.box,
                text=quoted(words.line.text, bare=True),
                script=script,
                language=code,
                rule="word frequencies, letters",
                source="wordfreq 3, CLDR",
            )
        )
    code = shares.languages[main]
    telling = [words.line for words, row in zip(lines, per_line, strict=True) if row[main] >= 2.0] or [
        words.line for words in lines
    ]
    if posterior[main] > NAMED:
        claim = f"{_lines(telling)} {'is' if len(telling) == 1 else 'are'} {language_name(code)}{_spoken_in(code)}"
    else:
        few = [language_name(shares.languages[i]) for i in np.argsort(-posterior)[:3]]
        claim = f"{_lines(telling)} could be {', '.join(few[:-1])} or {few[-1]}"
    return Evidence(
        tool="reading",
        type="reading.language",
        claim=claim,
        likelihood=likelihood,
        group=f"language:{script}",
        support=tuple(support),
    )


def language_name(code: str) -> str:
    """Name a language in English."""
    from babel import Locale

    if code == "sh":
        return "Bosnian, Croatian or Serbian"
    return str(Locale("en").languages.get(code, code))


def _spoken_in(code: str) -> str:
    """Say where a language is official, in a few words: first where most people speak it."""
    codes = [own for own, table in LISTED_AS.items() if table == code] or [code]
    area = sorted(
        {country for own in codes for country in official_area(own)},
        key=lambda country: (-_speakers(country, codes), country),
    )
    if not area:
        return ""
    names = ", ".join(country_name(country) for country in area[:4])
    return f": official in {names}" + (f" and {len(area) - 4} more" if len(area) > 4 else "")


def _speakers(code: str, languages: Sequence[str]) -> float:
    from geosleuth.indexes.countries import country

    shares = language_population(code)
    return country(code).population * max((shares.get(language, 0.0) for language in languages), default=0.0)


_SCRIPT_NAMES: Mapping[str, str] = {
    "Latn": "Latin", "Cyrl": "Cyrillic", "Grek": "Greek", "Hebr": "Hebrew", "Arab": "Arabic", "Deva": "Devanagari",
    "Beng": "Bengali", "Taml": "Tamil", "Thai": "Thai", "Hang": "Korean", "Hani": "Chinese", "Jpan": "Japanese",
    "Geor": "Georgian", "Armn": "Armenian", "Telu": "Telugu", "Knda": "Kannada", "Gujr": "Gujarati", "Guru": "Gurmukhi",
    "Mlym": "Malayalam", "Orya": "Odia", "Sinh": "Sinhala", "Khmr": "Khmer", "Laoo": "Lao", "Mymr": "Burmese",
    "Tibt": "Tibetan", "Ethi": "Ethiopic", "Tfng": "Tifinagh", "Mong": "Mongolian", "Thaa": "Thaana",
}  # fmt: skip
