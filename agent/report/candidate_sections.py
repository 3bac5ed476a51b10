"""The compared references, each beside the photo, with the verdicts and what a model said."""

from __future__ import annotations

from geosleuth.agent.figures import VERDICT_WORDS, km
from geosleuth.agent.localization import ComparedReference
from geosleuth.agent.report.blocks import Fact, Facts, Grid, Paragraph, Picture, Pictures, Section, shown
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.pictures import REFERENCE_PX, jpeg_of

_PICTURED = 5  # references that are shown side by side; all are in the table


def candidate_sections(content: ReportContent) -> list[Section]:
    """A table of all, then each of the best in full."""
    answer = content.answer
    if not answer.candidates:
        return []
    rows = tuple(
        (str(one.number), _verdict(one), shown(one.uri), f"{one.similarity:.2f}", _away(one))
        for one in answer.candidates
    )
    head = ("No.", "Verdict", "Reference", "Similarity", "From the point")
    sections = [Section("Compared references", (Grid(head, rows, (0.09, 0.17, 0.44, 0.14, 0.16), (0, 3, 4)),))]
    return sections + [_in_full(one, content) for one in answer.candidates[:_PICTURED]]


def _verdict(one: ComparedReference) -> str:
    return VERDICT_WORDS[one.verification.verdict if one.verification else None]


def _away(one: ComparedReference) -> str:
    return "" if one.distance_km is None else km(one.distance_km)


def _in_full(one: ComparedReference, content: ReportContent) -> Section:
    blocks: list[Pictures | Facts | Paragraph] = []
    if (pictures := _side_by_side(one, content)) is not None:
        blocks.append(pictures)
    rows = [Fact("Reference", shown(one.uri)), Fact("Verdict", _verdict(one))]
    if one.verification is not None:
        rows += [Fact("Why", shown(one.verification.reason)), Fact("Matcher", shown(one.verification.matcher))]
    rows += [Fact("Position", f"{one.lat:.5f}, {one.lon:.5f} (WGS 84)"), Fact("View", one.view)]
    optional = {"Taken": one.captured_at, "Licence": one.licence, "SHA-256": one.sha256 or None}
    rows += [Fact(name, shown(value)) for name, value in optional.items() if value]
    blocks.append(Facts(tuple(rows)))
    if one.judgement is not None:
        blocks.append(_judgement(one))
    return Section(f"Reference {one.number}: {_verdict(one)}", tuple(blocks), level=3)


def _side_by_side(one: ComparedReference, content: ReportContent) -> Pictures | None:
    pixels = content.reference_pictures.get(one.reference_id)
    if pixels is None:
        return None
    pictures = []
    if one.photo < len(content.photos):
        photo = content.photos[one.photo]
        jpeg, size = jpeg_of(photo.pixels_at(REFERENCE_PX), REFERENCE_PX)
        caption = f"Photo {one.photo + 1}" if len(content.photos) > 1 else "The photo"
        pictures.append(Picture(jpeg, size, f"{caption}: {shown(photo.name)}", caption))
    jpeg, size = jpeg_of(pixels, REFERENCE_PX)
    caption = f"Reference {one.number}"
    pictures.append(Picture(jpeg, size, f"{caption}: {shown(one.uri)}", caption))
    return Pictures(tuple(pictures))


def _judgement(one: ComparedReference) -> Facts:
    """A model's opinion in its own language, marked as such."""
    judged = one.judgement
    assert judged is not None  # noqa: S101 - for the type checker: the caller has looked
    rows = [Fact("A model says (no evidence)", f"{VERDICT_WORDS[judged.verdict]}: {shown(judged.reason)}")]
    if (words := judged.explanation) is not None:
        said = (("Agreeing", words.agreeing), ("Differing", words.disagreeing), ("It concludes", (words.conclusion,)))
        rows += [Fact(name, shown("; ".join(parts)), words.language) for name, parts in said if any(parts)]
        if words.contradicts:
            rows.append(Fact("Warning", "its reasons contradict its verdict: trust neither"))
    rows.append(Fact("Model", shown(judged.weights)))
    return Facts(tuple(rows))
