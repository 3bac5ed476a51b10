"""No line of the library runs what a file of others says: nothing is unpickled, no repository's code is trusted."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("indexes", "tools", "agent", "training", "ui")
# What unpickles, evaluates or imports by a name, by its last two names where it has them.
RUNS = {
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "joblib.load", "marshal.loads", "shelve.open"),
    *("pandas.read_pickle", "pd.read_pickle", "yaml.load", "yaml.unsafe_load", "eval", "exec", "os.system"),
}
WORDS = tuple({name.rpartition(".")[2] for name in RUNS} | {"trust_remote_code", "from_pretrained", "allow_pickle"})


def calls() -> Iterator[tuple[str, str, dict[str, ast.expr]]]:
    """Place, name and named arguments of every call in files that have one of the words."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if not any(word in text for word in WORDS):
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    named = {one.arg: one.value for one in node.keywords if one.arg}
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", _name(node.func), named


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return f"{before.rpartition('.')[2]}.{node.attr}"  # of an expression, such as `load().eval`, ".eval"
    return ""


@pytest.fixture(scope="module")
def made() -> list[tuple[str, str, dict[str, ast.expr]]]:
    return list(calls())


def test_nothing_is_unpickled_or_evaluated(made) -> None:
    assert [(place, name) for place, name, _ in made if name in RUNS] == []
    loads = [(place, named) for place, name, named in made if name == "torch.load"]
    assert loads  # of the package geoclip
    assert [place for place, named in loads if not _is(named.get("weights_only"), True)] == []
    assert [
        place for place, _, named in made if "allow_pickle" in named and not _is(named["allow_pickle"], False)
    ] == []


def test_no_code_of_a_repository_is_trusted(made) -> None:
    trusting = [(place, named["trust_remote_code"]) for place, _, named in made if "trust_remote_code" in named]
    assert len(trusting) >= 5
    assert [place for place, value in trusting if not _is(value, False)] == []


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
