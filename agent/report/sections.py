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


def report_of(content: ReportContent) -> Report:
    """Gather all that the report says."""
    answer = content.answer
    name = shown(content.case_name) if content.case_name else shown(answer.photo.name)
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
        title=f"Where was this photo taken? {name}",
        subtitle=f"{shown(place_name(answer))}; geosleuth {shown(answer.version)}",
        running_head=f"{name}, SHA-256 {answer.photo.sha256[:_HASH]}",
        sections=tuple(part for part in parts if part is not None),
    )
