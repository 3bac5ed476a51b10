"""Understand an investigator's sentence by rules, without a model.

A sentence is one move; what would be two is refused with its parts as suggestions. Commands are looked for before
statements, since "search" and "use" are no places, and a place's name alone is a hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from geosleuth.agent.dialogue import checked
from geosleuth.agent.dialogue.clue_words import NoSuchClueError, clues_meant
from geosleuth.agent.dialogue.move import AddHint, NotUnderstood, Understood
from geosleuth.agent.dialogue.place_words import hint_in, place_in, speaks_of_place, surely_place_in, unknown_place
from geosleuth.agent.dialogue.plain_words import LONGEST, NUMBERS, numbers_in, plain, respelled
from geosleuth.agent.dialogue.seen_words import denies, plate_without_end, seen_in, subject_of
from geosleuth.agent.dialogue.sun_words import sun_in
from geosleuth.agent.dialogue.unclear import unclear_sight, unclear_sun
from geosleuth.agent.localization import Localization
from geosleuth.indexes.countries import country_name
from geosleuth.tools.quoting import quoted

UNDERSTOOD = (
    "Understood are hints about the place, what you see, \u201cwhy not\u201d a country, \u201cwithout\u201d a clue, "
    "\u201ccompare with candidate 2\u201d, \u201csearch the whole gallery\u201d and \u201cundo\u201d."
)

_UNDO = re.compile(
    r"(?:undo|revert|go back|take (?:that|it|this) back|back)"
    r"(?: (?:that|it|this|the last(?: (?:step|turn|one|hint|change))?"
    r"|my last (?:hint|answer)|last))?"
    r"|rückgängig(?: machen)?|annuler|deshacer|desfazer|annulla|撤销|отменить"
)
_SEARCH = re.compile(
    r"(?:search|look(?: through| in)?|scan|go through|check|use|try)(?: for it)?(?: again)?(?: in| through| over)?"
    r" (?:everything|everywhere|(?:the )?(?:whole|entire|complete|full) (?:gallery|index|database|collection|world|set)"
    r"|all (?:of )?(?:the )?(?:gallery|references|images|photos|pictures)|the gallery)(?: again)?"
)
_WORD_NUMBER = rf"(?:#\s*)?(?P<n>\d{{1,4}}|{'|'.join(NUMBERS)})"
_COMPARED = r"(?:candidates?|references?|match|matches|results?|(?:gallery )?(?:photo|image|picture))"
_LOOK = r"(?:re-?)?compare|(?:re-?)?check|(?:re-?)?verify|inspect|examine"
_COMPARE = (
    re.compile(
        rf"(?:{_LOOK}|look(?: again| closer| closely)?(?: at)?|try|match)"
        r"(?: (?:it|this|that|the (?:photo|picture|query)|my photo))?(?: (?:with|against|to|and|at))?"
        rf" (?:the )?(?:{_COMPARED}\s*)(?:number |no\.? ?|nr\.? ?)?{_WORD_NUMBER}"
        r"(?: again| once more| closer| closely| more closely)?"
    ),
    re.compile(
        rf"(?:{_LOOK}|look(?: again)? at)(?: (?:it|this|that|the photo))?"
        rf"(?: (?:with|against|to))? (?:the )?{_WORD_NUMBER}(?: {_COMPARED}| one)?(?: again| once more)?"
    ),
    re.compile(rf"(?:the )?{_COMPARED}\s*(?:number |no\.? ?)?{_WORD_NUMBER}(?: again| once more)?"),
    re.compile(rf"vergleiche? (?:es |das foto )?mit (?:dem )?kandidat(?:en)? {_WORD_NUMBER}"),
)
_OUT = re.compile(
    r"(?:(?:what (?:if|about|would it be)|answer|try|redo it|again)?,?\s*(?:we |you |i )?)?(?P<verb>ignor(?:e|ing)"
    r"|without|leav(?:e|ing)(?: out)?|forget(?: about)?|drop(?:ping)?|exclud(?:e|ing)|disregard|skip|remov(?:e|ing)"
    r"|discount|delete"
    r"|omit|discard|dismiss|ohne|sans|sin|sem|senza|(?:do not|don't|dont)(?: use| count| trust| consider| believe)"
    r"|not counting|(?:switch|turn) off|disable)\s+(?P<what>.+?)(?:\s+out)?",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"(?P<what>(?:clues?|evidence|finding) (?:number |no\.? ?|#)?\w+(?: and \w+)?) (?:is|are) "
    r"(?:wrong|false|nonsense|misleading|irrelevant|not (?:right|true|relevant)|a mistake|misread)",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"(?:(?:use|count|add|put|consider|trust|take|with|believe)\s+(?P<what>.+?)\s+"
    r"(?:again|back(?: in)?|in again|after all)"
    r"|(?:bring back|put back|add back|restore|re-?enable|include|take back|(?:switch|turn) on|use|count|with|take)\s+"
    r"(?P<other>.+?)(?: again)?)",
    re.IGNORECASE,
)
_WHY = (
    re.compile(
        r"why (?:is it )?(?P<answer>.+?),? (?:and not|not|rather than|instead of|over|but not)"
        r" (?:in )?(?P<name>.+?)\??",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:why|how come) (?:(?:is|was|could|can|should)(?:n't| it not|n't it| not| it)?(?: it| be| not| this)*"
        r"|not|it(?:'s| is) not)"
        r"(?: in| be| from| at| near)*\s+(?P<name>.+?)\??",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:what about|how about|what speaks against|what is against|what's against|could it(?: also)? be(?: in)?"
        r"|can it be(?: in)?|might it be(?: in)?|is it(?: in)?|isn't it(?: in)?|warum nicht(?: in)?"
        r"|pourquoi pas(?: en| au| l'| la| le)?|¿?por qué no(?: en)?|por que não(?: em)?|perché non(?: in)?"
        r"|почему не|为什么不是)\s*(?P<name>.+?)\s*[?？]?",
        re.IGNORECASE,
    ),
    re.compile(
        r"why (?:(?:do|did|would) you (?:think|say|believe|choose|pick|prefer)(?: that)?)?(?: it(?:'s| is| was))?"
        r"(?: in)?\s*(?P<name>.+?)\??",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<name>[^?]+)\?"),
)

Rule = Callable[[str, Localization | None], Understood | None]


def understand(text: str, answer: Localization | None, taken: datetime | None = None) -> Understood:
    """Say what a sentence asks for; what nobody understands is a move as well, with sentences that are understood.

    Args:
        text: The investigator's words, in English; the simplest hints also in German, French, Spanish, Portuguese,
            Italian, Russian and Chinese.
        answer: What the person sees while writing: its candidates and clues are numbered from 1. None before the first.
        taken: When the photo was taken, as its file says (`taken_of` of tools/sunlight.py): a sentence about the sun
            need not say it again.
    """
    return certain(text, answer, taken) or _not_understood(plain(text[: 2 * LONGEST]), answer, taken)


def certain(text: str, answer: Localization | None, taken: datetime | None = None) -> Understood | None:
    """Return what the rules take the words for, refusals among them; None where they do not know them."""
    if len(text) > LONGEST:
        return None
    sentence = plain(text)
    if not sentence:
        return None
    rules: tuple[Rule, ...] = (*_COMMANDS, _why, _seen, partial(_sun, photo_taken=taken), _hint)
    for rule in rules:
        if (found := rule(sentence, answer)) is not None:
            return found
    mended = respelled(sentence)
    if mended != sentence:
        for rule in _COMMANDS:
            if (found := rule(mended, answer)) is not None:
                return found
    return None


def _undo(sentence: str, _: Localization | None) -> Understood | None:
    return checked.undo() if _UNDO.fullmatch(sentence.casefold()) else None


def _search(sentence: str, answer: Localization | None) -> Understood | None:
    return checked.search_everything(answer) if _SEARCH.fullmatch(sentence.casefold().rstrip("?")) else None


def _compare(sentence: str, answer: Localization | None) -> Understood | None:
    text = sentence.casefold().rstrip("?")
    for pattern in _COMPARE:
        if found := pattern.fullmatch(text):
            return checked.compare(numbers_in(found["n"])[0], answer)
    return None


def _clues(sentence: str, answer: Localization | None) -> Understood | None:
    """Leave out, or bring back; "exclude Spain" is about the place, and left to the hints."""
    text = sentence.rstrip("?")
    out = _OUT.fullmatch(text) or _WRONG.fullmatch(text)
    if out and text.casefold().startswith("leave") and " out" not in text:
        return None
    back = None if out else _BACK.fullmatch(text)
    if not out and not back:
        return None
    if answer is None:
        return checked.no_answer_yet()
    what = out["what"] if out else (back["what"] or back["other"]) if back else ""
    verb = out.groupdict().get("verb") if out else None
    if verb and verb.casefold().startswith("exclud") and surely_place_in(what):
        return None
    try:
        meant = clues_meant(what, answer)
    except NoSuchClueError as error:
        return checked.refused(str(error))
    if meant:
        return checked.leave_out(meant) if out else checked.bring_back(meant, answer)
    if out and surely_place_in(what):
        return checked.refused(f"No clue is called {quoted(what)}. Do you mean that it is not there?", (f"not {what}",))
    return checked.refused(f"No clue is called {quoted(what)}.", _numbers(answer))


def _numbers(answer: Localization) -> tuple[str, ...]:
    telling = [i for i, one in enumerate(answer.evidence, start=1) if one.likelihood != "nothing"]
    return tuple(f"without clue {number}" for number in telling[:3]) or checked.EXAMPLES


def _why(sentence: str, answer: Localization | None) -> Understood | None:
    for pattern in _WHY:
        found = pattern.fullmatch(sentence)
        if not found:
            continue
        name = place_in(found["name"].strip(" ?"))
        if name is None:
            continue
        than = place_in(found["answer"]) if "answer" in found.groupdict() else None
        return checked.why_not_named(name, answer, than)
    return None


def _seen(sentence: str, answer: Localization | None) -> Understood | None:
    if found := seen_in(sentence, answer):
        return checked.observe(*found)
    if colour := plate_without_end(sentence):
        reason = "Which plate: the one at the front, or the one at the rear? They differ in some countries."
        return checked.refused(reason, (f"the front plate is {colour}", f"the rear plate is {colour}"))
    question = subject_of(sentence)
    if question is not None and denies(sentence):  # a model might miss the one word that turns it round
        return unclear_sight(question, "That was not understood: only what is there can be used, not what is not.")
    return None


def _sun(sentence: str, _: Localization | None, *, photo_taken: datetime | None) -> Understood | None:
    said = sun_in(sentence)
    if said is None:
        return None
    taken = said.taken or photo_taken
    if said.unclear:
        return unclear_sun(said.taken, photo_taken)
    if taken is None:
        reason = "The sun tells the place only together with the time."
        return checked.refused(reason, ("taken 2024-06-01 12:30 UTC, the sun is 45 degrees high",))
    if said.taken is None and taken.tzinfo is not None:
        taken = taken.astimezone(UTC)  # a file's own zone may say more of the place than a cap on precision allows
    return checked.sun(taken, said.azimuth_deg, said.elevation_deg)


def _hint(sentence: str, _: Localization | None) -> Understood | None:
    text = hint_in(sentence)
    return None if text is None else checked.hint(text)


_COMMANDS: tuple[Rule, ...] = (_undo, _search, _compare, _clues)


def _not_understood(sentence: str, answer: Localization | None, taken: datetime | None) -> Understood:
    if not sentence:
        return checked.refused(f"There was nothing to do in that. {UNDERSTOOD}")
    if len(sentence) > LONGEST:
        return checked.refused(f"That is more than one sentence; one at a time. {UNDERSTOOD}")
    parts = [part.strip() for part in re.split(r"[.;!,]\s+|\s+(?:and|but)\s+", sentence) if part.strip()]
    if 1 < len(parts) <= _PARTS:
        known = [part for part in parts if _stands_alone(part, sentence, certain(part, answer, taken))]
        if known:
            return checked.refused("That may be more than one request; one at a time.", known)
    if question := subject_of(sentence):
        return unclear_sight(question, "That was not understood for certain.")
    return _uncertain_place(sentence) or checked.refused(f"That was not understood. {UNDERSTOOD}")


_PARTS = 6  # of a sentence that is tried part by part
_TURNS = re.compile(r"\b(?:outside|anything|anywhere|everywhere|nowhere|doubt|unlikely|if|unless)\b", re.IGNORECASE)


def _stands_alone(part: str, sentence: str, found: Understood | None) -> bool:
    """Whether a part may be offered: the place in "not in Spain and Portugal" would say the opposite by itself."""
    if found is None or isinstance(found.move, NotUnderstood):
        return False
    before = sentence.partition(part)[0]
    said = isinstance(found.move, AddHint) and not found.move.text.startswith("not ")
    return not (said and (denies(before) or _TURNS.search(before)))


def _uncertain_place(sentence: str) -> Understood | None:
    """A name that nobody knows, or a word that may be one; never a hint, for that would be a guess."""
    name = unknown_place(sentence)
    if len(name) < _SPELLED or (" " in name and not speaks_of_place(sentence)):
        return None
    if known := place_in(name):
        codes, _ = checked.countries_named(known)
        written = f"in {known[:1].upper()}{known[1:]}, {country_name(codes[0])}"
        return checked.refused(f"Is {quoted(known)} the name of a place? Then name its country too.", (written,))
    found = checked.hint(name)
    if not isinstance(found.move, NotUnderstood):
        return None
    return found if speaks_of_place(sentence) or "Did you mean" in found.words else None


_SPELLED = 4  # letters: shorter words resemble some country by chance ("in", Iran)
