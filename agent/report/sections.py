"""A report's sections in their order; HTML and PDF write these and nothing else."""

from __future__ import annotations

from geosleuth.agent.export import place_name
from geosleuth.agent.report.answer_sections import answer_section, countries_section, limits_section, map_section
from geosleuth.agent.report.blocks import Report, Section, shown
from geosleuth.agent.report.candidate_sections import candidate_sections
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.evidence_sections import (
    closing_section,
    contradictions_section,
    evidence_section,
    photos_section,
    stated_section,
    trace_section,
)
from geosleuth.agent.report.provenance_sections import provenance_sections

_HASH = 12  # hex digits on every page: enough to tell two photos apart
_HASHES = 4  # photos that are named so: the line of a page holds no more


def report_of(content: ReportContent) -> Report:
    """Gather all that the report says."""
    answer = content.answer
    photos = answer.photos or (answer.photo,)
    asked = "Where was this photo taken?" if len(photos) == 1 else "Where were these photos taken?"
    name = shown(content.case_name) if content.case_name else _with_more(shown(photos[0].name), len(photos) - 1)
    hashes = ", ".join(photo.sha256[:_HASH] for photo in photos[:_HASHES])
    parts: list[Section | None] = [
        answer_section(answer),
        map_section(answer),
        photos_section(content),
        evidence_section(answer),
        contradictions_section(answer),
        *candidate_sections(content),
        countries_section(answer),
        stated_section(answer),
        closing_section(answer),
        trace_section(answer),
        limits_section(answer),
        *provenance_sections(answer, content.custody),
    ]
    return Report(
        title=f"{asked} {name}",
        subtitle=f"{shown(place_name(answer))}; geosleuth {shown(answer.version)}",
        running_head=f"{name}, SHA-256 {_with_more(hashes, len(photos) - _HASHES)}",
        sections=tuple(part for part in parts if part is not None),
    )


def _with_more(named: str, more: int) -> str:
    return f"{named} and {more} more" if more > 0 else named
