import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.training.gleam_x.record import PairRecord

GOOD = {
    "en": {
        "match": {
            "agreeing": ["the red roof on the left", "a bend of the road"],
            "disagreeing": ["parked cars"],
            "conclusion": "The red roof stands at the same bend, so it is the same place.",
        },
        "no_match": {
            "agreeing": ["a road"],
            "disagreeing": ["no river in the candidate", "the roof is grey there"],
            "conclusion": "The river is missing, so it is another place.",
        },
    },
    "zh": {
        "match": {
            "agreeing": ["左侧的红色屋顶", "道路的弯道"],
            "disagreeing": [],
            "conclusion": "红色屋顶与弯道一致，是同一个地方。",
        },
        "no_match": {
            "agreeing": [],
            "disagreeing": ["候选图没有河流"],
            "conclusion": "河流不见了，不是同一个地方。",
        },
    },
}


def good_answer(label, lang="en", **changes):
    return json.dumps(GOOD[lang][label] | changes, ensure_ascii=False)


def record(number, label="match", lang="en", **changes):
    return PairRecord(
        **{
            "pair_id": f"pair-{number}",
            "query_path": f"ground/{number}.png",
            "query_view": "panorama",
            "query_modality": "panorama",
            "satellite_path": f"tiles/{number}.png",
            "label": label,
            "lang": lang,
            "source_dataset": "made for a test",
        }
        | changes
    )


@pytest.fixture(scope="session")
def server():
    """Return tests/openai_server.py."""
    pytest.importorskip("langchain_openai")
    name = "geosleuth_openai_server"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "openai_server.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Twelve pairs of pictures, each of its own grey."""
    folder = tmp_path_factory.mktemp("data set")
    for number in range(12):
        for kind, shift in (("ground", 0), ("tiles", 100)):
            (folder / kind).mkdir(exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), shift + number, np.uint8)).save(folder / kind / f"{number}.png")
    return folder


@pytest.fixture
def made():
    return record


@pytest.fixture
def good():
    return good_answer
