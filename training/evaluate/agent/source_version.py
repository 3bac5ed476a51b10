"""What a finding was made by, where nobody counts versions: a hash of the code and of the tables that it reads.

A note on disk is worth nothing when nobody can tell whether today's code would write the same.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = "geosleuth"
_DATA = "data"  # each room's folder of tables


@cache
def source_version(*modules: str) -> str:
    """Hash modules, all that they import of this package, the tables of those rooms, and the packages underneath.

    Imports count wherever they stand, inside functions too; those for type checkers do not. Nothing is imported.

    Args:
        modules: Full names: "geosleuth.tools.reading".

    Returns:
        The package's version and 16 hexadecimal digits.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    files = sources(*modules)
    digest = hashlib.sha256(_packages().encode())
    for name in sorted(files):
        digest.update(f"\0{name}\0".encode() + hashlib.sha256(files[name].read_bytes()).digest())
    for room in sorted({name.split(".")[1] for name in files}):
        digest.update(f"\0{room}\0{_tables(room)}".encode())
    return f"{_PACKAGE} {version(_PACKAGE)} {digest.hexdigest()[:16]}"


def sources(*modules: str) -> dict[str, Path]:
    """List modules and all that they import of this package, with their files.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if path is None and name in modules:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if path is not None and name not in found:
            found[name] = path
            waiting += _imported(path)
    return found


@cache
def _room(room: str) -> Path | None:
    """The folder of a room; the rooms lie apart in a checkout that is installed to be edited."""
    spec = find_spec(f"{_PACKAGE}.{room}")  # of what stands two levels down it would import the middle
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None


def _file_of(name: str) -> Path | None:
    """The file of a module; None for a name that is no module, such as a class's."""
    package, *parts = name.split(".")
    folder = _room(parts[0]) if package == _PACKAGE and parts else None
    if folder is None:
        return None
    inside = folder.joinpath(*parts[1:])
    return next((path for path in (inside.with_suffix(".py"), inside / "__init__.py") if path.is_file()), None)


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """Names that a file imports of this package; of `from a import b` both a and a.b, which may be a module."""
    found = []
    for node in _statements(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in found if name.startswith(f"{_PACKAGE}."))


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements, those inside others too, but what only type checkers read."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.stmt):
            yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, block, ())


@cache
def _tables(room: str) -> str:
    folder = _room(room)
    digest = hashlib.sha256()
    for path in sorted((folder / _DATA).rglob("*")) if folder is not None else ():
        if path.is_file():
            digest.update(f"\0{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def _packages() -> str:
    """Versions of what is always installed beside: word lists, place names and time zones come from there."""
    needed = [line for line in requires(_PACKAGE) or () if "extra ==" not in line]
    return "\n".join(sorted({_with_version(line) for line in needed}))


def _with_version(requirement: str) -> str:
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:  # a requirement of another platform
        return f"{name} is not here"
