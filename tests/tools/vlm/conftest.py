"""Real servers for the tests of the endpoint backend, started once per session and stopped at its end."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def openai_server():
    """Return the module tests/openai_server.py."""
    name = "geosleuth_openai_server"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "openai_server.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def transformers_spec(openai_server, tiny_models):
    """Return the spec of the tiny Qwen2.5-VL on `transformers serve`."""
    pytest.importorskip("langchain_openai")
    pytest.importorskip("fastapi", reason="transformers serve needs transformers[serving]")
    pytest.importorskip("uvicorn", reason="transformers serve needs transformers[serving]")
    folder = tiny_models.tiny_qwen()
    with openai_server.transformers_server(folder) as url:
        yield f"openai:{folder}@{url}"


@pytest.fixture(scope="session")
def llama_spec(openai_server, tiny_models, tmp_path_factory):
    """Return the spec of the text half of the tiny Qwen2.5-VL on llama.cpp's server."""
    pytest.importorskip("langchain_openai")
    if not openai_server.installed("xllamacpp"):  # never imported here: it and uharfbuzz do not load in one process
        pytest.skip("llama.cpp's server comes with the package xllamacpp")
    pytest.importorskip("gguf", reason="models are written for it with the package gguf")
    path = openai_server.write_gguf(tiny_models.tiny_qwen(), tmp_path_factory.mktemp("gguf") / "tiny.gguf")
    with openai_server.llama_server(path) as url:
        yield f"openai:tiny@{url}"
