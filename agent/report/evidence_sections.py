"""The sections that prove: numbered boxes, evidence, contradictions, the investigator's words, the trace."""

from __future__ import annotations

from collections.abc import Sequence

from geosleuth.agent.figures import bare_bits
from geosleuth.agent.localization import Localization, WeighedEvidence
from geosleuth.agent.report.blocks import Bullets, Fact, Facts, Grid, Paragraph, Picture, Pictures, Section, shown
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.pictures import Box, marked_photo

_STATED = ("hint", "observation", "sun")  # tools that put an investigator's words into evidence
_SOURCES = 3  # of one piece of evidence, as in the terminal


def numbered(answer: Localization) -> list[tuple[int, int, WeighedEvidence]]:
    """Evidence that says something, the strongest first: its number in the report, its index, itself."""
    telling = [(i, one) for i, one in enumerate(answer.evidence) if one.likelihood != "nothing"]
    telling.sort(key=lambda row: (row[1].left_out, -abs(row[1].contribution_bits)))
    return [(number, i, one) for number, (i, one) in enumerate(telling, start=1)]


def photos_section(content: ReportContent) -> Section:
    """Each photo with the numbers of what was read from it."""
    answer = content.answer
    facts = answer.photos or (answer.photo,)
    blocks: list[Pictures | Facts] = []
    for i, about in enumerate(facts):
        if i < len(content.photos):
            boxes = _boxes(answer, i, len(facts))
            jpeg, size = marked_photo(content.photos[i], boxes)
            numbers = sorted({number for where in boxes.values() for number in where})
            told = f"Boxes show where evidence {_listed(numbers)} was read." if numbers else "Nothing is marked on it."
            alt = f"Photo {i + 1}: {shown(about.name)}. {told}"
            blocks.append(Pictures((Picture(jpeg, size, alt, alt),)))
        rows = [
            Fact("File", shown(about.name)),
            Fact("SHA-256", about.sha256),
            Fact("Size", f"{about.size[0]} x {about.size[1]} pixels"),
        ]
        if about.edits:
            rows.append(Fact("Edited before it was looked at", shown("; ".join(about.edits))))
        blocks.append(Facts(tuple(rows)))
    return Section("Photo" if len(facts) == 1 else "Photos", tuple(blocks))


def _boxes(answer: Localization, photo: int, photos: int) -> dict[Box, list[int]]:
    found: dict[Box, list[int]] = {}
    for number, _, one in numbered(answer):
        of_this = one.photo == photo or (one.photo is None and photos == 1)
        for support in one.support:
            if of_this and support.box:
                numbers = found.setdefault(support.box, [])
                if number not in numbers:
                    numbers.append(number)
    return found


def evidence_section(answer: Localization) -> Section:
    """What speaks for and against the answer, in bits; then what was looked at in vain."""
    rows = [
        (str(number), _bits(one), shown(one.claim), _source(one), _photo(one, answer))
        for number, _, one in numbered(answer)
    ]
    explained = (
        "Bits: how much more likely the answer is with this finding than without it, as a power of two; below 0 it "
        "speaks against the answer."
    )
    blocks: list[Paragraph | Grid | Bullets] = [Paragraph(explained, "note")]
    if rows:
        head = ("No.", "Bits", "Claim", "Source", "Photo")
        blocks.append(Grid(head, tuple(rows), (0.06, 0.11, 0.48, 0.26, 0.09), numeric=(0, 1)))
    else:
        blocks.append(Paragraph("No finding tells a place."))
    vain = dict.fromkeys(_in_vain(one, answer) for one in answer.evidence if one.likelihood == "nothing")
    if vain:
        blocks += [Paragraph("Looked at, and tells no place:"), Bullets(tuple(vain))]
    return Section("Evidence", tuple(blocks))


def _in_vain(one: WeighedEvidence, answer: Localization) -> str:
    of = f"Photo {one.photo + 1}, " if len(answer.photos) > 1 and one.photo is not None else ""
    return shown(f"{of}{one.tool}: {one.claim}")


def _bits(one: WeighedEvidence) -> str:
    return "left out" if one.left_out else bare_bits(one.contribution_bits)


def _source(one: WeighedEvidence) -> str:
    sources = list(dict.fromkeys(support.source for support in one.support if support.source))
    more = f" and {len(sources) - _SOURCES} more" if len(sources) > _SOURCES else ""
    named = "; ".join(sources[:_SOURCES]) + more
    return shown("; ".join(part for part in (f"{one.tool}: {named}" if named else one.tool, one.weights) if part))


def _photo(one: WeighedEvidence, answer: Localization) -> str:
    if one.tool in _STATED:
        return "stated"
    return str((one.photo or 0) + 1) if len(answer.photos) > 1 else "1"


def contradictions_section(answer: Localization) -> Section | None:
    """Findings that cannot both be right."""
    if not answer.contradictions:
        return None
    number_of = {i: number for number, i, _ in numbered(answer)}
    items = [
        f"{shown(one.claim)} (evidence {_listed(sorted(number_of[i] for i in one.evidence if i in number_of))}; the "
        f"weaker side speaks against the answer with {one.bits:.1f} bits)"
        for one in answer.contradictions
    ]
    return Section("Contradictions", (Bullets(tuple(items)),))


def stated_section(answer: Localization) -> Section:
    """What the investigator brought, took away, and has not been able to say."""
    stated = [f"No. {n}: {shown(one.claim)}" for n, _, one in numbered(answer) if one.tool in _STATED]
    left_out = [f"No. {n} was left out: {shown(one.claim)}" for n, _, one in numbered(answer) if one.left_out]
    items = stated + left_out
    alone = "photos" if len(answer.photos) > 1 else "photo"
    first = Bullets(tuple(items)) if items else Paragraph(f"Nothing: the answer rests on the {alone} alone.")
    asked = tuple(f"{shown(one.text)} (worth {one.expected_bits:.1f} bits)" for one in answer.questions)
    more = (Paragraph("Questions that a person could still answer:"), Bullets(asked)) if asked else ()
    return Section("What the investigator stated", (first, *more))


def closing_section(answer: Localization) -> Section | None:
    """A planner's words, which are no evidence."""
    closing = answer.closing
    if closing is None or not closing.words:
        return None
    blocks: list[Paragraph] = [
        Paragraph(shown(f'"{closing.words}"')),
        Paragraph(f"Said by {shown(closing.by)}.", "note"),
    ]
    if closing.unbacked:
        blocks.append(Paragraph(f"No finding bears out: {shown('; '.join(closing.unbacked))}", "warning"))
    return Section("Words of the model that planned (no evidence)", tuple(blocks))


def trace_section(answer: Localization) -> Section:
    """Every step, with its seconds, and with its photo where there are several."""
    rows = [
        (str(one.step), shown(one.tool), shown(one.by), _result(one.result, one.ok, one.note), f"{one.seconds:.2f}")
        for one in answer.trace
    ]
    grid = Grid(("Step", "Tool", "Asked by", "Result", "Seconds"), tuple(rows), (0.08, 0.18, 0.16, 0.47, 0.11), (0, 4))
    if len(answer.photos) > 1:
        head = (*grid.head[:3], "Photo", *grid.head[3:])
        which = [(*row[:3], str(one.photo + 1), *row[3:]) for row, one in zip(rows, answer.trace, strict=True)]
        grid = Grid(head, tuple(which), (0.08, 0.18, 0.16, 0.09, 0.38, 0.11), (0, 5))
    return Section("Steps", (grid, Paragraph(f"All steps together: {answer.seconds:.1f} s.", "note")))


def _result(result: str, ok: bool, note: str | None) -> str:
    return shown(("" if ok else "Not done: ") + result + (f" ({note})" if note else ""))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
