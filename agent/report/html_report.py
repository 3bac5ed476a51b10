"""The report as one HTML file that needs nothing else: no script, no request."""

from __future__ import annotations

import base64
import re
from html import escape

from geosleuth.agent.localization import Localization
from geosleuth.agent.report.blocks import Block, Bullets, Facts, Grid, Map, Paragraph, Pictures, Report, Section
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.map_svg import map_svg
from geosleuth.agent.report.sections import report_of

# Were anything in the page taken for markup all the same, the browser would neither run nor fetch it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# Contrasts are at least 4.5 : 1 (WCAG 2.1, 1.4.3) in both themes.
_STYLE = """
:root { color-scheme: light dark; --words: #1f2937; --paper: #ffffff; --soft: #4b5563; --line: #d1d5db;
  --panel: #f3f4f6; --warn: #7c2d12; --warn-paper: #ffedd5; }
@media (prefers-color-scheme: dark) { :root { --words: #e5e7eb; --paper: #0f172a; --soft: #9ca3af; --line: #374151;
  --panel: #1e293b; --warn: #fed7aa; --warn-paper: #431407; } }
body { margin: 0; background: var(--paper); color: var(--words); font: 15px/1.5 "Noto Sans", system-ui, sans-serif; }
main, header { max-width: 56rem; margin: 0 auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 1.5rem 0 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem;
  border-bottom: 1px solid var(--line); } h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p.lead { font-size: 1.4rem; font-weight: bold; margin: .5rem 0; } p.note, header p { color: var(--soft); }
p.warning { background: var(--warn-paper); color: var(--warn); padding: .5rem .75rem; border-radius: .25rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .93rem; }
th, td { text-align: start; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
td { min-width: 3.4rem; } th, .number { overflow-wrap: normal; min-width: 0; }
thead th { background: var(--panel); } th[scope=row] { width: 22%; font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: .75rem 0; } .pair { display: flex; gap: 1rem; flex-wrap: wrap; } .pair figure { flex: 1 1 16rem; }
img { max-width: 100%; height: auto; border-radius: .25rem; } figcaption { color: var(--soft); font-size: .88rem; }
@media print { :root { color-scheme: light; --words: #000; --paper: #fff; --soft: #333; --line: #999; --panel: #eee;
  --warn: #000; --warn-paper: #fff; } body { font-size: 10pt; } h2, h3 { break-after: avoid; }
  tr, figure { break-inside: avoid; } thead { display: table-header-group; } }
"""
_QUOTE = re.compile(r"&quot;(.*?)&quot;")


def report_html(content: ReportContent) -> str:
    """Write the report as one self-contained HTML page, light or dark as the reader's system is."""
    report = report_of(content)
    body = "\n".join(_section(section, content.answer) for section in report.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{_header(report)}\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _header(report: Report) -> str:
    return f"<header>\n<h1>{_words(report.title)}</h1>\n<p>{_words(report.subtitle)}</p>\n</header>"


def _section(section: Section, answer: Localization) -> str:
    head = f"h{section.level}"
    blocks = "\n".join(_block(block, answer) for block in section.blocks)
    return f"<section>\n<{head}>{_words(section.title)}</{head}>\n{blocks}\n</section>"


def _block(block: Block, answer: Localization) -> str:
    match block:
        case Paragraph():
            look = "" if block.kind == "plain" else f' class="{block.kind}"'
            return f"<p{look}{_lang(block.lang)}>{_words(block.text)}</p>"
        case Bullets():
            return "<ul>\n" + "\n".join(f"<li>{_words(item)}</li>" for item in block.items) + "\n</ul>"
        case Facts():
            return _facts(block)
        case Grid():
            return _grid(block)
        case Pictures():
            return _pictures(block)
        case Map():
            return _map(block, answer)


def _facts(block: Facts) -> str:
    rows = [
        f'<tr><th scope="row">{_words(one.name)}</th><td dir="auto"{_lang(one.lang)}>{_words(one.value)}</td></tr>'
        for one in block.rows
    ]
    return "<table>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


def _grid(block: Grid) -> str:
    looks = [' class="number"' if i in block.numeric else "" for i in range(len(block.head))]
    head = "".join(f'<th scope="col"{look}>{_words(name)}</th>' for name, look in zip(block.head, looks, strict=True))
    rows = [
        "<tr>" + "".join(f"<td{look}>{_words(x)}</td>" for x, look in zip(row, looks, strict=True)) + "</tr>"
        for row in block.rows
    ]
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


def _pictures(block: Pictures) -> str:
    figures = []
    for one in block.pictures:
        source = f"data:image/jpeg;base64,{base64.b64encode(one.jpeg).decode()}"
        image = f'<img src="{source}" width="{one.size[0]}" height="{one.size[1]}" alt="{escape(one.alt)}">'
        figures.append(f"<figure>{image}\n<figcaption>{_words(one.caption)}</figcaption></figure>")
    together = "\n".join(figures)
    return f'<div class="pair">\n{together}\n</div>' if len(figures) > 1 else together


def _map(block: Map, answer: Localization) -> str:
    """Both themes' maps are in the page; on paper it is the light one."""
    light, dark = (
        "data:image/svg+xml;base64," + base64.b64encode(map_svg(answer, dark=theme).encode()).decode()
        for theme in (False, True)
    )
    picture = (
        f'<picture><source media="screen and (prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" width="720" height="420" alt="{escape(block.alt)}"></picture>'
    )
    return f"<figure>{picture}\n<figcaption>{_words(block.caption)}</figcaption></figure>"


def _words(text: str) -> str:
    """Escape; what is quoted keeps its own direction of writing, and does not turn the sentence around it."""
    return _QUOTE.sub(r"&quot;<bdi>\1</bdi>&quot;", escape(text))


def _lang(lang: str | None) -> str:
    return f' lang="{escape(lang)}"' if lang else ""
