"""Answers in which every word that a stranger could have written is an attack: for the tests of what shows them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from geosleuth.agent.localization import Localization

HOST = "192.0.2.1"  # of TEST-NET-1 (RFC 5737): nobody's
ATTACKS = {
    "markup": f"</title></script><img src='http://{HOST}/x.png' onerror=\"alert(1)\"><a href=//{HOST}>&amp;&#60;b&#62;",
    "xml": f"<![CDATA[x]]><NetworkLink><Link><href>http:&#47;&#47;{HOST}</href></Link></NetworkLink>]]>",
    "markdown": f"![x](http://{HOST}/p.png) [y](javascript:alert(1)) <http://{HOST}> :material/home: :red[z] `c` $q$",
    "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\x7f \u202egpj.exe\u2066 \u200f\u2028 a\r\nb\tc\x00",
    "formula": f'=HYPERLINK("http://{HOST}";"x")',
    "second formula": "x;=1+1;\t@SUM(A1)",
}
# Ours alone: words of closed lists, hashes, codes of tables in the package.
_OURS = {"status", "likelihood", "view", "verdict", "language", "kind", "sha256", "code", "reference_id", "id", "key"}


def neighbour(path: str) -> ModuleType:
    """Load a module of the tests, which are no package; `path` is relative to tests/."""
    file = Path(__file__).parents[1] / path
    if file.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[file.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[file.stem])
    return sys.modules[file.stem]


def hostile_answer(text: str) -> Localization:
    """Return an answer with a bit of everything, each free text of it replaced."""
    full = neighbour("agent/report/full.py")
    facts = full.content(("a sign",)).answer.model_dump(mode="json")
    thought = {"step": 2, "tool": "t", "result": "r", "seconds": 0.1, "by": "b", "note": "n", "thought": "t"}
    failure = {"kind": "raised", "reason": "r", "error": "e"}
    facts["trace"] += [thought | {"args": {"where": "x"}}, thought | {"ok": False, "failure": failure}]
    facts["closing"] = {"words": "w", "by": "b", "unbacked": ["u"], "unbacked_thoughts": ["g"]}
    facts["photo"]["edits"] = ["e"]
    facts["photos"] = [facts["photo"]]
    facts["city"] = {"name": "c", "country": "FJ", "lat": -17.8, "lon": 178.0, "probability": 0.8}
    facts["locatability"] = {"score": 0.5, "backend": "b", "reason": "r", "weights": "w"}
    option = {"key": "o", "text": "t"}
    facts["questions"] = [{"key": "q", "text": "t", "options": [option], "expected_bits": 0.5, "source": "s"}]
    for one in facts["candidates"]:
        one |= {"licence": "l", "captured_at": "c"}
    return Localization.model_validate(_replaced(facts, text))


def _replaced(value: Any, text: str, key: str = "") -> Any:
    if isinstance(value, str):
        geojson = key == "type" and value in ("Feature", "FeatureCollection", "Polygon", "MultiPolygon")
        return value if key in _OURS or geojson else text
    if isinstance(value, dict):
        return {name: _replaced(one, text, name) for name, one in value.items()}
    return [_replaced(one, text, key) for one in value] if isinstance(value, list) else value
