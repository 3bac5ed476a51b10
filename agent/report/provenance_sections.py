"""The sections that let somebody else check the work: versions, weights, settings, hashes, the chain of custody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from geosleuth.agent.export import ATTRIBUTION
from geosleuth.agent.localization import Localization
from geosleuth.agent.report.blocks import Fact, Facts, Grid, Paragraph, Section, shown

if TYPE_CHECKING:
    from geosleuth.agent.cases.custody import Custody

_FONTS = "letters Noto (SIL Open Font License 1.1)"


def provenance_sections(answer: Localization, custody: Custody | None) -> list[Section]:
    """What ran, with which settings, on which files; who did what when."""
    rows = [Fact("geosleuth", shown(answer.version))]
    rows += [Fact(shown(role), shown(spec)) for role, spec in sorted(answer.backends.items())]
    sections = [Section("What ran", (Facts(tuple(rows)),))]
    if custody is not None:
        sections += _custody(custody)
    sources = Paragraph(f"{ATTRIBUTION}; {_FONTS}.")
    return [*sections, Section("Sources of maps, names and letters", (sources,))]


def _custody(custody: Custody) -> list[Section]:
    kept = [
        Section("Versions", (_facts(custody.versions),)),
        Section("Settings", (_facts(custody.settings),)),
    ]
    events = tuple((str(one.number), _when(one.at), shown(one.event), _told(one.details)) for one in custody.events)
    whole = f"The chain is whole; its last line has the SHA-256 {custody.head}."
    state = (
        Paragraph(f"The chain is broken: {shown(custody.broken)}", "warning") if custody.broken else Paragraph(whole)
    )
    case = Facts((Fact("Case", shown(custody.case_id)), Fact("Of", shown(custody.owner))))
    files = tuple((shown(one.name), one.sha256, _when(one.added)) for one in custody.photos)
    photos = Grid(("File", "SHA-256 of the untouched file", "Added"), files, (0.27, 0.48, 0.25))
    chain = Grid(("No.", "When", "What", "Details"), events, (0.07, 0.23, 0.16, 0.54), numeric=(0,))
    tables = [grid for grid in (photos, chain) if grid.rows]
    return [*kept, Section("Chain of custody", (case, state, *tables))]


def _facts(values: Mapping[str, Any]) -> Facts:
    return Facts(tuple(Fact(shown(name), _told(value)) for name, value in sorted(values.items())))


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(value: Any) -> str:
    return shown(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    )
