"""Logs are kept, and sent to others: at the default level no line quotes an error, a photo's name or a sign.

Tests of single lines stand with their modules; those of a whole run in test_privacy.py and ui/page/test_own_address.py.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("indexes", "tools", "agent", "training", "ui")
SEEN = {"warning", "error", "critical"}  # at the default level
_LAST_WORDS = "last words of a command of ours, an InputError's three parts, for who runs it over data sets"
ALLOWED = {  # lines, and why they may
    "agent/batch/worker_process.py": (1, "WorkerDied says how a process ended"),
    "agent/cases/retention.py": (1, "the system's own words, which name no file"),
    "indexes/decoder_process.py": (1, "DecoderDied says how a process ended"),
    "training/adapter_claims/__main__.py": (1, _LAST_WORDS),
    "training/adapter_claims/agent_verifier.py": (1, "what a calibration lacks: how many pairs there were"),
    "training/evaluate/ablations/towns/__main__.py": (1, _LAST_WORDS),
    "training/evaluate/against/__main__.py": (2, f"{_LAST_WORDS}; and over the files that it was told to write"),
    "training/evaluate/agent/kept.py": (2, "why a file of an evaluation is not used, not what it holds"),
    "training/gleam_c/claims/__main__.py": (1, _LAST_WORDS),
    "training/gleam_c/end_to_end.py": (1, _LAST_WORDS),
    "training/small_vlm/__main__.py": (1, _LAST_WORDS),
}


def quoting(source: str) -> list[int]:
    """The lines that log an error itself, whose words may quote anything, or by `exception`, with all of them."""
    found = []
    for handler in ast.walk(ast.parse(source)):
        if not isinstance(handler, ast.ExceptHandler):
            continue
        told = _told(handler)
        for call in ast.walk(handler):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "logger"):
                continue
            said = any(told & _names(word) for word in call.args)
            if call.func.attr == "exception" or (call.func.attr in SEEN and said):
                found.append(call.lineno)
    return found


def _told(handler: ast.ExceptHandler) -> set[str]:
    """The names that hold the error of a handler, or something made of it there."""
    told, before = {handler.name or ""}, set[str]()
    while told != before:  # what is assigned may be assigned again
        before = set(told)
        for node in ast.walk(handler):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                made = node.value is not None and told & _names(node.value)
                told |= set().union(*map(_names, targets)) if made else set()
    return told


def _names(node: ast.AST) -> set[str]:
    """The names that an expression mentions, but for what it asks the type of."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type":
        return set()
    own = {node.id} if isinstance(node, ast.Name) else set()
    return own.union(*(_names(one) for one in ast.iter_child_nodes(node)))


def test_no_line_at_the_default_level_quotes_an_error() -> None:
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): quoting(path.read_text("utf-8")) for path in sources}
    lines = {path: len(numbers) for path, numbers in found.items() if numbers}
    assert lines == {path: count for path, (count, _) in ALLOWED.items()}


@pytest.mark.parametrize(
    ("call", "quotes"),
    [
        ('logger.warning("%s", error)', True),
        ('logger.error("%s", str(error))', True),
        ('logger.warning(f"it failed: {error}")', True),
        ('logger.warning("it failed: " + str(error)[:80])', True),
        ('logger.critical("%s", error.args)', True),
        ('logger.warning("%s", error.strerror or "no reason")', True),
        ('logger.warning("%s: %s", type(error).__name__, error)', True),
        ('logger.exception("it failed")', True),
        ('why = str(error); logger.warning("%s", why)', True),
        ('why = str(error); short = why[:80]; logger.warning("%s", short)', True),
        ('why: str = str(error); logger.warning("%s", why)', True),
        ('why += str(error); logger.warning("%s", why)', True),
        ('number, why = error.args; logger.error("%s", why)', True),
        ('logger.error("%s", why) if (why := str(error)) else None', True),
        ('why = type(error).__name__; logger.warning("%s", why)', False),
        ('why = str(error); logger.debug("%s", why)', False),
        ('logger.warning("%s", type(error).__name__)', False),
        ('logger.error("it failed", exc_info=error)', False),  # the log leaves its words out: see test_own_address.py
        ('logger.debug("%s", error)', False),
    ],
)
def test_the_test_would_see_it(call: str, quotes: bool) -> None:
    source = f"try:\n    f()\nexcept OSError as error:\n    {call}\n"
    assert quoting(source) == ([4] if quotes else [])
