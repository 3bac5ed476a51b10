"""No line of the library runs what a file of others says: nothing is unpickled, no repository's code is trusted."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("indexes", "tools", "agent", "training", "ui")
UNPICKLERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
# What unpickles, evaluates or imports a file, by its last two names where it has them.
RUNS = {
    *("pandas.read_pickle", "pd.read_pickle", "yaml.load", "yaml.unsafe_load", "eval", "exec", "os.system"),
    *("runpy.run_path", "runpy.run_module", "util.spec_from_file_location", "loader.exec_module"),
}
IMPORTS = {"importlib.import_module", "import_module", "importlib.__import__", "__import__"}
# Harmless, as a test below sees: both import what their callers name, and every caller names it in a literal.
IMPORT_BY_ARGUMENT = {"indexes/encoders/torch_features.py": "import_extra", "tools/vlm/model_folder.py": "import_vlm"}
WORDS = {name.rpartition(".")[2] for name in RUNS | IMPORTS} | UNPICKLERS
WORDS |= {"load", "trust_remote_code", "from_pretrained", "allow_pickle", *IMPORT_BY_ARGUMENT.values()}
Read = tuple[str, ast.Module]  # a file's path in the repository, and what is in it


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return f"{before.rpartition('.')[2]}.{node.attr}"  # of an expression, such as `load().eval`, ".eval"
    return ""


def calls(read: Sequence[Read]) -> Iterator[tuple[str, str, ast.Call]]:
    """Place, name and node of every call."""
    for file, tree in read:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{file}:{node.lineno}", _name(node.func), node


def unpicklers(read: Sequence[Read]) -> Iterator[str]:
    """Where what unpickles is imported, under whatever name, or what runs code is imported out of its module."""
    for file, tree in read:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named = {name for one in node.names for name in (one.name, one.name.partition(".")[0])}
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                last = module.rpartition(".")[2]
                named = {module, module.partition(".")[0], *(f"{last}.{one.name}" for one in node.names)}
            else:
                continue
            if named & (UNPICKLERS | RUNS | {"torch.load", "numpy.load"}):
                yield f"{file}:{node.lineno}"


def imports_by_a_name(read: Sequence[Read]) -> list[str]:
    """Files that import a module whose name does not stand in them, once for each place."""
    return [
        place.rpartition(":")[0] for place, name, node in calls(read) if name in IMPORTS and not _names_a_literal(node)
    ]


def _names_a_literal(node: ast.Call) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant)


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _told(made: Sequence[tuple[str, str, ast.Call]], word: str) -> list[tuple[str, ast.expr]]:
    return [(place, one.value) for place, _, node in made for one in node.keywords if one.arg == word]


@pytest.fixture(scope="module")
def read() -> list[Read]:
    """The library's files that have one of the words."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    texts = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    return [(file, ast.parse(text)) for file, text in texts if any(word in text for word in WORDS)]


@pytest.fixture(scope="module")
def made(read) -> list[tuple[str, str, ast.Call]]:
    return list(calls(read))


def test_nothing_is_unpickled_or_evaluated(read, made) -> None:
    assert list(unpicklers(read)) == []
    assert [(place, name) for place, name, _ in made if name in RUNS] == []
    loads = [one for one in made if one[1] == "torch.load" or ast.unparse(one[2].func) == "import_vlm('torch').load"]
    assert loads  # of the package geoclip
    safe = [place for place, value in _told(loads, "weights_only") if _is(value, True)]
    assert safe == [place for place, _, _ in loads]
    assert [place for place, value in _told(made, "allow_pickle") if not _is(value, False)] == []


def test_no_code_of_a_repository_is_trusted(made) -> None:
    trusting = _told(made, "trust_remote_code")
    assert len(trusting) >= 5
    assert [place for place, value in trusting if not _is(value, False)] == []


def test_modules_are_imported_by_names_that_stand_in_the_code(read, made) -> None:
    assert sorted(imports_by_a_name(read)) == sorted(IMPORT_BY_ARGUMENT)  # one place in each
    callers = [one for one in made if one[1].rpartition(".")[2] in IMPORT_BY_ARGUMENT.values()]
    assert len(callers) > 20
    assert [place for place, _, node in callers if not _names_a_literal(node)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import pickle as harmless",
        "import joblib.numpy_pickle",
        "from pickle import loads",
        "from dill import load as read",
        "from marshal import *",
        "from shelve import open",
        "from cloudpickle import loads",
        "from joblib.numpy_pickle import load",
        "from pandas import read_pickle",
        "from os import system as say",
        "from torch import load",
        "def late():\n    from pickle import Unpickler",
    ],
)
def test_an_unpickler_is_found_by_whatever_name_it_comes(line) -> None:
    assert len(list(unpicklers([("a.py", ast.parse(line))]))) == 1


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("importlib.import_module(name)", ["a.py"]),
        ("import_module(f'plugins.{name}')", ["a.py"]),
        ("__import__(json['module'])", ["a.py"]),
        ("import_module(name='torch')", ["a.py"]),  # it may be one, but nobody writes that
        ("importlib.import_module('torch')", []),
        ("from os import path\nimport numpy as np", []),
    ],
)
def test_an_import_by_a_computed_name_is_found(line, found) -> None:
    assert imports_by_a_name([("a.py", ast.parse(line))]) == found
    assert list(unpicklers([("a.py", ast.parse(line))])) == []
