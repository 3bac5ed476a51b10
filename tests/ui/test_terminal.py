import importlib.util
import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from geosleuth.agent.printable import printable
from geosleuth.ui.terminal import show

spec = importlib.util.spec_from_file_location("answers", Path(__file__).with_name("answers.py"))
answers = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
spec.loader.exec_module(answers)


def shown(answer, width=100, **options):
    console = Console(file=io.StringIO(), width=width, highlight=False, **options)
    show(answer, console)
    return console.file.getvalue()


def test_says_where_how_sure_and_why():
    text = shown(answers.answer())
    assert "Fiji  -17.80, 178.00  half of the belief within 42 km" in text
    assert "localized. The country's probability is 0.91." in text
    assert "90% region: 1,235 km²" in text
    assert "91.0%  ██████████████████\n" in text.replace("█ ", "█").replace("  \n", "\n")  # 0.91 of 20 is 18
    assert text.index("+4.2  A sign in Fijian") < text.index("-0.5  A price in dollars")
    assert "Treat this as a hypothesis" in text
    assert "2.0 s (read_text 1.5)" in text


def test_compared_references_say_verdict_distance_and_similarity():
    candidates = [answers.compared(1, "match"), answers.compared(2, "no_match"), answers.compared(3, None)]
    text = shown(answers.answer(candidates=candidates), width=120)
    rows = [line.split() for line in text.splitlines() if "walk/" in line]
    assert rows[0][:5] == ["match", "111", "m", "0.89", "walk/001.jpg"]
    assert rows[1][:6] == ["no", "match", "222", "m", "0.88", "walk/002.jpg"]
    assert rows[2] == ["not", "verified", "334", "m", "0.87", "walk/003.jpg"]
    assert "[10 of 40 feature matches agree]" in text


def test_five_references_are_listed():
    text = shown(answers.answer(candidates=[answers.compared(i, "no_match") for i in range(1, 9)]))
    assert text.count("walk/") == 5


def test_of_repeated_searches_the_last_is_told_and_every_verification():
    def looked(claim, tool, kind):
        return answers.evidence(claim, 0.0, "nothing") | {"tool": tool, "type": f"{tool}.{kind}"}

    evidence = [
        looked("Of 60 references, none", "retrieval", "candidates"),
        looked("Of 100 references, none", "retrieval", "candidates"),
        looked("None of 10 candidates", "verification", "match") | {"step": 4},
        looked("None of 10 candidates", "verification", "match") | {"step": 6},
        looked("No position", "metadata", "gps"),
        looked("No heading", "metadata", "gps"),
    ]
    text = shown(answers.answer(evidence=evidence))
    assert "Of 60 references" not in text
    assert text.count("Of 100 references") == 1
    assert text.count("None of 10 candidates") == 2  # other ones each time
    assert text.count("Tells no place: ") == 5
    capped = shown(answers.answer(evidence=evidence, precision_cap_km=25.0))
    assert capped.count("None of 10 candidates") == 1  # under a cap it would say that it is withheld


def test_the_name_of_a_reference_cannot_steer_the_terminal():
    text = shown(answers.answer(candidates=[answers.compared(1, "match", uri="\x1b[2J[red]a\u202e.jpg")]))
    assert "\x1b" not in text
    assert r"\x1b[2J[red]a\u202e.jpg" in text


def test_a_server_that_was_asked_is_said():
    assert "all on this machine" in shown(answers.answer(backends={"index": "walks; 5 references"}))
    text = shown(answers.answer(backends={"index": "milvus:walks@http://db:19530; 5 references"}), width=200)
    assert "all on this machine" not in text
    assert "vectors were sent to the index's server" in text
    withheld = shown(answers.answer(backends={"index": "a Milvus server, withheld"}), width=200)
    assert "vectors were sent to the index's server" in withheld
    assert "all on this machine" in shown(answers.answer(backends={"index": "a folder, withheld"}))


def test_an_unlocatable_photo_shows_no_countries_and_what_was_looked_at():
    text = shown(answers.nowhere())
    assert "No place can be told from this photo" in text
    assert "Tonga" not in text
    assert "Tells no place: reading: No line of text" in text


def test_a_failed_step_and_a_contradiction_are_said():
    failure = {"kind": "raised", "reason": "gone", "error": "OSError"}
    step = {"step": 1, "tool": "prior", "result": "failed: gone", "seconds": 0, "by": "perceive", "ok": False}
    against = [{"claim": "GPS says Italy, the sign Ukraine.", "bits": 9.0, "evidence": [0, 1]}]
    notes = ["The tool prior did not take part: OSError: gone", "first of 12 frames"]
    text = shown(answers.answer(trace=[step | {"failure": failure}], contradictions=against, notes=notes))
    assert "Did not run: prior: failed: gone" in text
    assert text.count("gone") == 1  # the note on it says no more
    assert "Note: first of 12 frames" in text
    assert "Contradiction: GPS says Italy, the sign Ukraine." in text


def test_text_of_a_photo_can_neither_steer_the_terminal_nor_write_markup():
    text = shown(answers.answer(evidence=[answers.evidence("\x1b[2J\u202e[red]PARIS[/red]\n", 1.0)]))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[2J\u202e[red]PARIS[/red]\n" in text


@pytest.mark.parametrize("width", [20, 40, 200])
def test_fits_terminals_of_any_width(width):
    text = shown(answers.answer(evidence=[answers.evidence("Вулиця Шевченка 東京都 ถนน", 1.0)]), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "Вулиця" in text


@pytest.mark.parametrize(
    ("km2", "words"), [(0.004181, "4,181 m²"), (0.25, "0.2 km²"), (3.14, "3.1 km²"), (1234.6, "1,235 km²")]
)
def test_areas_are_told_in_a_unit_that_shows_them(km2, words):
    box = answers.region(0.5, answers.BOX, "Polygon")
    box["properties"]["area_km2"] = km2
    assert f"50% region: {words}\n" in shown(answers.answer(regions={"features": [box]}))


@pytest.mark.parametrize(
    ("status", "probability", "named"),
    [
        ("localized", 0.6, "Suva, Fiji  "),
        ("localized", 0.4, "Fiji  "),  # another place is likelier than the city
        ("coarse", 0.4, "Perhaps Fiji  "),
        ("coarse", 0.6, "Perhaps Suva, Fiji  "),
    ],
)
def test_a_city_is_named_where_the_belief_is_there(status, probability, named):
    city = {"name": "Suva", "country": "FJ", "lat": -18.1, "lon": 178.4, "probability": probability}
    assert shown(answers.answer(status=status, city=city)).startswith(named)


@pytest.mark.parametrize(
    ("radius_km", "position"),
    [
        (0.037, "-17.8000, 178.0000"),
        (9.0, "-17.800, 178.000"),
        (42.0, "-17.80, 178.00"),
        (420.0, "-17.8, 178.0"),
        (4150.0, "-18, 178"),
    ],
)
def test_coordinates_are_no_finer_than_the_radius_deserves(radius_km, position):
    assert f"  {position}  half of" in shown(answers.answer(radius_km=radius_km))


def test_countries_that_would_print_as_zero_are_left_to_json():
    rows = [("FJ", "Fiji", 0.9995), ("TO", "Tonga", 0.0004)]
    countries = [{"code": code, "name": name, "probability": share} for code, name, share in rows]
    text = shown(answers.answer(countries=countries))
    assert "99.9%" in text
    assert "Tonga" not in text


def test_a_claim_is_as_wide_as_a_terminal_of_60_lets_it_be():
    claim = 'Lines "BOULANGERIE DU MOULIN" and 2 more are French: official in France and 40 more'
    lines = shown(answers.answer(evidence=[answers.evidence(claim, 1.0)]), width=60).splitlines()
    first = next(line for line in lines if "BOULANGERIE" in line)
    assert len(first.rstrip()) > 45
    assert any(line.rstrip().endswith("[CLDR]") for line in lines)


def test_no_color_is_respected(monkeypatch):
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour.search(shown(answers.answer(), force_terminal=True, color_system="standard"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(shown(answers.answer(), force_terminal=True, color_system="standard"))


def test_printable_keeps_every_script_and_shows_control_characters():
    assert printable("Київ 東京 القاهرة é") == "Київ 東京 القاهرة é"
    assert printable("a\x07\x9b\n") == r"a\x07\x9b\n"


JUDGED = {
    "verdict": "match",
    "reason": "Asked whether both show one place, the model says yes with probability 0.79",
    "probability": 0.79,
    "weights": "qwen@0123",
    "explanation": {
        "agreeing": ["a church with two towers", "\x1b[2Ja square"],
        "disagreeing": ["no tram line"],
        "conclusion": "The same square.",
        "language": "en",
        "contradicts": True,
        "weights": "qwen@0123",
    },
}


def test_what_a_model_says_of_a_reference_is_said_to_be_a_models():
    text = shown(answers.answer(candidates=[answers.compared(1, None, judgement=JUDGED)]), width=200)
    assert "[a model: Asked whether both show one place" in text
    assert r"agree: a church with two towers; \x1b[2Ja square" in text
    assert "differ: no tram line" in text
    assert "the model concludes: The same square." in text
    assert "its reasons contradict its verdict: trust neither" in text


def test_a_planners_words_are_said_to_be_no_evidence_and_what_nothing_bears_out_is_named_once():
    closing = {
        "words": "This is Suva.",
        "by": "VlmPlanner(dir:qwen)",
        "unbacked": ["Suva"],
        "unbacked_thoughts": ["Apia"],
    }
    note = "The planner's closing words say Suva, which no tool's finding backs."
    text = shown(answers.answer(closing=closing, notes=[note, "Another note."]), width=200)
    assert "The planner's words, no evidence: This is Suva." in text
    assert "Of these no tool's finding bears out: Suva" in text
    assert "Guesses in its thoughts that no tool's finding bears out (--verbose): Apia" in text
    assert note not in text
    assert "Another note." in text


def test_an_opinion_is_no_finding():
    opinion = {**answers.evidence("A model sees the place in one of 5.", 0.0, "nothing"), "tool": "gleam_x"}
    text = shown(answers.answer(evidence=[{**opinion, "type": "gleam_x.match"}]), width=120)
    assert "A model's opinion, no evidence: A model sees the place in one of 5." in text
    assert "Tells no place" not in text


def test_a_server_that_sees_the_photo_is_named():
    backends = {"prior": "openai:m@http://gpu:8000/v1", "planner": "VlmPlanner(openai:m@http://gpu:8000/v1)"}
    text = shown(answers.answer(backends=backends), width=200)
    assert "pictures go to http://gpu:8000/v1\n" in text
    assert "all on this machine" not in text


def test_what_failed_alike_is_told_once_with_how_often():
    failure = {"kind": "malformed", "reason": "be shorter"}
    step = {"tool": "?", "result": "not called: be shorter", "seconds": 1, "by": "m", "ok": False, "failure": failure}
    text = shown(answers.answer(trace=[{"step": 1, **step}, {"step": 2, **step}]), width=120)
    assert text.count("Did not run") == 1
    assert "Did not run: ?: not called: be shorter (2 times)" in text
