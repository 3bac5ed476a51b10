"""The answer that the sentences of these tests are about: Portugal, with five clues and three candidates."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def answers():
    """Return tests/ui/answers.py: tests are no package, so a neighbour is loaded by its path."""
    path = Path(__file__).parents[2] / "ui" / "answers.py"
    spec = importlib.util.spec_from_file_location("geosleuth_answers_of_dialogue", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clue(number, kind, claim, bits=2.0, likelihood="over_regions", out=False, text=None):
    return {
        "tool": kind.split(".")[0],
        "type": kind,
        "claim": claim,
        "contribution_bits": 0.0 if out else bits,
        "likelihood": likelihood,
        "support": [{"text": text}] if text else [],
        "id": f"{number:012x}",
        "left_out": out,
    }


CLUES = [
    clue(1, "reading.phone", '"+351 21" has the calling code +351: Portugal.', 3.0, text="Tel. +351 21 342"),
    clue(2, "reading.language", "A sign is in Portuguese."),
    clue(3, "metadata.gps", "No position in the metadata: no EXIF.", 0.0, "nothing"),
    clue(4, "reading.place", '"Rossio" is the name of Rossio in Portugal.', 5.0, "near_points", text="ROSSIO"),
    clue(5, "hint.country", 'The investigator says "in Spain" (Spain).', out=True),
]


@pytest.fixture(scope="session")
def lisbon(answers):
    """An answer whose list of candidates begins with the match, which retrieval had ranked second."""
    return answers.answer(
        point={"lat": 38.71, "lon": -9.14},
        radius_km=4.0,
        country={"code": "PT", "name": "Portugal", "probability": 0.91},
        countries=[
            {"code": "PT", "name": "Portugal", "probability": 0.91},
            {"code": "ES", "name": "Spain", "probability": 0.031},
        ],
        city={"name": "Lisbon", "country": "PT", "lat": 38.72509, "lon": -9.1498, "probability": 0.8},
        evidence=CLUES,
        candidates=[answers.compared(2, "match"), answers.compared(1, "no_match"), answers.compared(3, None)],
        questions=[
            {
                "key": "driving_side",
                "text": "Which side do cars keep to?",
                "options": [{"key": "left", "text": "left"}, {"key": "right", "text": "right"}],
                "expected_bits": 0.4,
                "source": "country-coder",
            }
        ],
        backends={"reading": "embedded", "index": "streets"},
    )
