"""The readable answer in a terminal: where, how sure, why, what speaks against it, what did not take part.

Text from a photo is anybody's: it reaches rich as `Text`, never as markup, and without control characters.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from geosleuth.agent.export import place_name
from geosleuth.agent.figures import area, coordinates, km, percent
from geosleuth.agent.printable import printable
from geosleuth.agent.references import is_served

if TYPE_CHECKING:
    from geosleuth.agent.localization import AskedQuestion, ComparedReference, Localization, WeighedEvidence

CAVEAT = "Treat this as a hypothesis: check the evidence before you act on it."
_STATUS_STYLE = {"localized": "bold green", "coarse": "bold yellow", "not_locatable": "bold red"}
_STATUS_WORDS = {"localized": "localized", "coarse": "coarse: a direction to look in", "not_locatable": "not locatable"}
_COUNTRIES = 5  # rows; the rest is in --json
_REFERENCES = 5  # the same
_SOURCES = 3  # of one piece of evidence
_VERDICT_STYLE = {"match": "bold green", "no_match": "red"}
_VERDICT_WORDS = {
    "match": "match",
    "no_match": "no match",
    "not_applicable": "other view",
    "unreadable": "unreadable",
    None: "not verified",
}
_SERVER = re.compile(r"openai:[^;)]*?@(https?://[^\s;)]+)")  # in `backends`, which name the specs that ran
_LEAST_SHARE = 0.001  # a country that would print as 0.0 % is no answer to where to look
_QUESTIONS = 2  # that a person could answer; `geosleuth questions` lists all
_BAR = 20  # characters of a probability of 1
_TELLING_BITS = 0.05  # below this a contribution prints as 0.0


def show(answer: Localization, console: Console | None = None) -> None:
    """Print an answer; colours only where the terminal has them and NO_COLOR is unset."""
    (console or Console(highlight=False)).print(render(answer))


def render(answer: Localization) -> Group:
    """Lay an answer out for any width of terminal."""
    parts: list[RenderableType] = [_headline(answer), Text()]
    if answer.status != "not_locatable":
        parts += [_countries(answer), Text()]
    telling = [item for item in answer.evidence if item.likelihood != "nothing" and not item.left_out]
    if telling:
        parts += [_evidence(telling, several=len(answer.photos) > 1), Text()]
    if answer.candidates:
        parts += [_references(answer.candidates[:_REFERENCES]), Text()]
    parts += [_line("Contradiction", item.claim, "bold red") for item in answer.contradictions]
    parts += _absent(answer)
    parts += _closing(answer)
    parts += [_line("Note", note, "dim") for note in _notes(answer)]
    parts += [_question(one) for one in answer.questions[:_QUESTIONS]]
    parts += [Text(CAVEAT, style="italic"), _timing(answer)]
    return Group(*parts)


def _headline(answer: Localization) -> Text:
    head = Text()
    if answer.country is None or answer.point is None:
        head.append("No place can be told from this photo", style="bold")
    else:
        head.append(f"{printable(place_name(answer))}  ", style="bold")
        head.append(f"{coordinates(answer.point, answer.radius_km)}  ", style="cyan")
        if answer.radius_km is not None:
            head.append(f"half of the belief within {km(answer.radius_km)}")
    head.append("\n")
    head.append(_STATUS_WORDS[answer.status], style=_STATUS_STYLE[answer.status])
    head.append(f". {printable(answer.reason)}")
    for feature in answer.regions.features if answer.status != "not_locatable" else ():
        head.append(f"\n{feature.properties.share:.0%} region: {area(feature.properties.area_km2)}", style="dim")
    if answer.precision_cap_km is not None:
        head.append(f"\nCoarsened on purpose to {km(answer.precision_cap_km)} (precision_cap_km)", style="yellow")
    return head


def _countries(answer: Localization) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    likely = [row for row in answer.countries[:_COUNTRIES] if row.probability >= _LEAST_SHARE]
    for row in likely or answer.countries[:1]:
        bar = Text("█" * round(_BAR * row.probability), style="green")
        table.add_row(Text(printable(row.name)), percent(row.probability), bar)
    return table


def _evidence(items: list[WeighedEvidence], *, several: bool) -> Table:
    """The source follows its claim: a column of its own would leave claims too narrow in a terminal of 60."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bits", justify="right", no_wrap=True)
    table.add_column("evidence, and the source of what it says", overflow="fold")
    for item in sorted(items, key=lambda item: -abs(item.contribution_bits)):
        bits = item.contribution_bits if abs(item.contribution_bits) >= _TELLING_BITS else 0.0
        style = "green" if bits > 0 else "red" if bits < 0 else "dim"
        sources = dict.fromkeys(support.source for support in item.support if support.source)
        more = f" and {len(sources) - _SOURCES} more" if len(sources) > _SOURCES else ""
        named = "; ".join(list(sources)[:_SOURCES]) + more or item.weights or item.type
        claim = Text.assemble(f"{_of_photo(item, several)}{printable(item.claim)}  ", (f"[{printable(named)}]", "dim"))
        table.add_row(Text(f"{bits:+.1f}", style=style), claim)
    return table


def _of_photo(item: WeighedEvidence, several: bool) -> str:
    return f"photo {item.photo + 1}: " if several and item.photo is not None else ""


def _references(candidates: tuple[ComparedReference, ...]) -> Table:
    """The URI comes from files of the user's: it is escaped, and folds in narrow terminals."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("away", justify="right", no_wrap=True)
    table.add_column("similar", justify="right", no_wrap=True)
    table.add_column("compared reference, and why", overflow="fold")
    for one in candidates:
        verdict = one.verification.verdict if one.verification else None
        reason = f"  [{printable(one.verification.reason)}]" if one.verification else ""
        reason += f"  [a model: {printable(one.judgement.reason)}]" if one.judgement else ""
        table.add_row(
            Text(_VERDICT_WORDS[verdict], style=_VERDICT_STYLE.get(verdict or "", "dim")),
            "" if one.distance_km is None else km(one.distance_km),
            f"{one.similarity:.2f}",
            Text.assemble(printable(one.uri), (reason, "dim"), *_explanation(one)),
        )
    return table


def _explanation(one: ComparedReference) -> list[tuple[str, str]]:
    """Say why a model judged as it did; its words are marked as such."""
    words = one.judgement.explanation if one.judgement else None
    if words is None:
        return []
    lines = [
        ("\nagree: ", words.agreeing, "green"),
        ("\ndiffer: ", words.disagreeing, "red"),
        ("\nthe model concludes: ", (words.conclusion,), "dim"),
    ]
    told = [(label + printable("; ".join(features)), style) for label, features, style in lines if any(features)]
    if words.contradicts:
        told.append(("\nits reasons contradict its verdict: trust neither", "bold yellow"))
    return told


def _absent(answer: Localization) -> list[RenderableType]:
    """Say which tools looked and learned nothing, and which failed.

    Of repeated searches the last is told, which is the widest; of verifications all, since each is of other references.
    """
    several = len(answer.photos) > 1
    capped = answer.precision_cap_km is not None  # all rounds then say the same: that it is withheld
    told = {
        item.type
        if item.tool == "retrieval"
        else (
            item.photo,
            item.type,
            item.claim,
            item.step if item.tool == "verification" and not capped else None,
        ): item
        for item in answer.evidence
        if item.likelihood == "nothing"
    }
    lines: list[RenderableType] = [
        _line("A model's opinion, no evidence", item.claim, "magenta")
        if item.type == "gleam_x.match"
        else _line("Tells no place", f"{_of_photo(item, several)}{item.tool}: {item.claim}", "dim")
        for item in told.values()
    ]
    failed = Counter(f"{step.tool}: {step.result}" for step in answer.trace if not step.ok)
    return lines + [
        _line("Did not run", f"{what}{f' ({times} times)' if times > 1 else ''}", "yellow")
        for what, times in failed.items()
    ]


def _closing(answer: Localization) -> list[RenderableType]:
    """Show what a planner that is a model said, and what of it nothing bears out."""
    closing = answer.closing
    if closing is None:
        return []
    lines: list[RenderableType] = []
    if closing.words:
        lines.append(_line("The planner's words, no evidence", closing.words, "magenta"))
    if closing.unbacked_thoughts:
        guesses = "; ".join(closing.unbacked_thoughts)
        lines.append(_line("Guesses in its thoughts that no tool's finding bears out (--verbose)", guesses, "dim"))
    if closing.unbacked:
        lines.append(_line("Of these no tool's finding bears out", "; ".join(closing.unbacked), "bold yellow"))
    return lines


def _notes(answer: Localization) -> list[str]:
    """The notes, without those on tools that failed: `_absent` has said it."""
    failures = [step.failure.reason for step in answer.trace if step.failure is not None]
    failures += answer.closing.unbacked[:1] if answer.closing else ()  # `_closing` has said these
    return [note for note in answer.notes if not any(reason in note for reason in failures)]


def _question(question: AskedQuestion) -> Text:
    """What the person could tell, and how to say it."""
    options = "|".join(one.key for one in question.options)
    words = f"{question.text} --see {question.key}={options}"
    return _line("Can you tell", f"{words} (worth {question.expected_bits:.1f} bits)", "cyan")


def show_questions(console: Console | None = None) -> None:
    """Print all questions that --see answers, with the source of each table."""
    from geosleuth.tools.observations import QUESTIONS

    out = console or Console(highlight=False)
    for question in QUESTIONS.values():
        out.print(Text.assemble((f"{question.key}: ", "bold"), question.text))
        for option in question.options:
            out.print(Text(f"  {question.key}={option.key}  {option.text}"))
        out.print(Text(f"  Source: {question.source}", style="dim"))


def _timing(answer: Localization) -> Text:
    steps = ", ".join(f"{step.tool} {step.seconds:.1f}" for step in answer.trace)
    sent = ["vectors were sent to the index's server"] if is_served(answer.backends.get("index", "")) else []
    servers = dict.fromkeys(url for ran in answer.backends.values() for url in _SERVER.findall(ran))
    sent += [f"pictures go to {', '.join(servers)}"] if servers else []
    where = "; ".join(sent) or "all on this machine"
    return Text(printable(f"{answer.seconds:.1f} s ({steps}); geosleuth {answer.version}, {where}"), style="dim")


def _line(label: str, text: str, style: str) -> Text:
    return Text.assemble((f"{label}: ", style), printable(text))
