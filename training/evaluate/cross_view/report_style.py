"""How the page of a report looks, in light, in dark and on paper."""

from __future__ import annotations

# Were anything in the page taken for markup all the same, the browser would neither run nor fetch it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# Contrasts of words and of the curves' names are at least 4.5 : 1 (WCAG 2.1, 1.4.3) in both themes.
_LIGHT = ("#0b5394", "#b45309", "#047857", "#9d174d", "#6d28d9", "#155e75")
_DARK = ("#7cb7ff", "#fbbf24", "#34d399", "#f9a8d4", "#c4b5fd", "#67e8f9")
COLOURS = len(_LIGHT)


def _colours(colours: tuple[str, ...]) -> str:
    return " ".join(f"--c{i}: {colour};" for i, colour in enumerate(colours))


STYLE = f"""
:root {{ color-scheme: light dark; --words: #1f2937; --paper: #ffffff; --soft: #4b5563; --line: #d1d5db;
  --panel: #f3f4f6; --warn: #7c2d12; --warn-paper: #ffedd5; --good: #047857; --bad: #b91c1c; {_colours(_LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ --words: #e5e7eb; --paper: #0f172a; --soft: #9ca3af; --line: #374151;
  --panel: #1e293b; --warn: #fed7aa; --warn-paper: #431407; --good: #34d399; --bad: #f87171; {_colours(_DARK)} }} }}
body {{ margin: 0; background: var(--paper); color: var(--words); font: 15px/1.5 "Noto Sans", system-ui, sans-serif; }}
main {{ max-width: 72rem; margin: 0 auto; padding: 0 1rem 3rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; margin: 1.5rem 0 0; }}
h2 {{ font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }}
p.lead {{ font-size: 1.25rem; font-weight: bold; margin: .75rem 0; }} .soft {{ color: var(--soft); font-size: .93rem; }}
p.warning {{ background: var(--warn-paper); color: var(--warn); padding: .4rem .75rem; border-radius: .25rem;
  margin: .4rem 0; }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .93rem; }}
th, td {{ text-align: start; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }}
thead th {{ background: var(--panel); }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
figure {{ margin: 0; }} svg {{ max-width: 54rem; width: 100%; height: auto; display: block; }}
svg text {{ font-size: 13px; fill: var(--words); }} svg text.tick {{ fill: var(--soft); font-size: 12px; }}
.grid {{ stroke: var(--line); stroke-width: 1; }} .curve {{ fill: none; stroke-width: 2.2; stroke-linejoin: round; }}
{" ".join(f".curve.c{i} {{ stroke: var(--c{i}); }} svg text.c{i} {{ fill: var(--c{i}); }}" for i in range(COLOURS))}
.curve.other {{ stroke: var(--words); stroke-dasharray: 7 4; }}
.curve.chance {{ stroke: var(--soft); stroke-dasharray: 2 4; }} svg text.chance {{ fill: var(--soft); }}
.row {{ display: flex; gap: .6rem; padding: .7rem 0; border-bottom: 1px solid var(--line); }}
.row figure {{ flex: 1 1 0; min-width: 0; max-width: 11.5rem; }}
.row figure.asked {{ flex-grow: 1.5; max-width: 17rem; }}
@media (max-width: 40rem) {{ .row {{ flex-wrap: wrap; }} .row figure {{ flex: 1 1 40%; max-width: none; }}
  .row figure.asked {{ flex: 1 1 100%; max-width: none; }} }}
.row img, .missing {{ width: 100%; height: auto; box-sizing: border-box; border: 3px solid var(--line);
  border-radius: .25rem; }}
.right img, .right .missing {{ border-color: var(--good); }} .wrong img, .wrong .missing {{ border-color: var(--bad); }}
.missing {{ background: var(--panel); color: var(--soft); padding: 2rem .5rem; margin: 0; text-align: center; }}
figcaption {{ font-size: .85rem; }} figcaption small {{ color: var(--soft); }}
@media print {{ :root {{ color-scheme: light; --words: #000; --paper: #fff; --soft: #333; --line: #999; --panel: #eee;
  --warn: #000; --warn-paper: #fff; {_colours(_LIGHT)} }} body {{ font-size: 10pt; }} h2 {{ break-after: avoid; }}
  tr, .row {{ break-inside: avoid; }} thead {{ display: table-header-group; }} }}
"""
