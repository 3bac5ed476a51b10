"""Spec strings: which backend plays a role. `BASE[+ADAPTER...]`, the same everywhere.

embedded                  what installs with geosleuth
hf:ORG/NAME[@REV]         a model of transformers
timm:NAME                 an image encoder of timm
geoclip                   GeoCLIP and its location gallery
dir:PATH                  weights in a folder
openai:MODEL@URL          a server that speaks the OpenAI protocol
file:PATH[#MODEL]         predictions recorded in a CSV file
...+hf:ORG/NAME, +dir:PATH   a LoRA adapter on the base; several are added up, as adapters trained in turn are
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from geosleuth.indexes.errors import InputError

FORMS = {
    "embedded": "embedded",
    "hf": "hf:ORG/NAME[@REV]",
    "timm": "timm:NAME",
    "geoclip": "geoclip",
    "dir": "dir:PATH",
    "openai": "openai:MODEL@URL",
    "file": "file:PATH[#MODEL]",
}
KEY_VARIABLE = "GEOSLEUTH_ENDPOINT_KEY"  # an openai: server's key; never in a settings file, which is shown and shared
_BARE = ("embedded", "geoclip")  # these stand alone; all others need something after the colon
_HF_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SCHEME_AFTER_PLUS = re.compile(r"\+(?=(?:hf|dir):)")  # a "+" inside a path or a URL is no adapter

# What each role runs in this version. The other bases are understood, and refused with what to install.
RUNS_HERE = {
    "planner": ("embedded", "hf", "dir", "openai"),
    "prior": ("embedded", "file", "hf", "dir", "openai", "geoclip"),
    "reading": ("embedded",),
    "locatability": ("embedded", "hf", "dir", "openai"),
    "retrieval": ("embedded", "hf", "timm", "dir"),
    "matching": ("embedded", "hf", "dir"),
    "pairwise": ("embedded", "hf", "dir", "openai"),
    "gleam_x": ("embedded", "hf", "dir", "openai"),
}


@dataclass(frozen=True)
class Backend:
    """A parsed spec string."""

    base: str  # a key of FORMS
    name: str = ""  # model or path; "" for the bases that stand alone
    detail: str | None = None  # revision of hf, URL of openai, model of file
    adapters: tuple[Backend, ...] = ()  # LoRA weights on the base: hf or dir

    @property
    def short(self) -> str:
        """The spec string without the folders that a path lies in: they may be named after a case or a person."""
        own = Path(self.name).name if self.base in ("dir", "file") else self.name
        bare = str(replace(self, name=own or self.name, adapters=()))
        return bare + "".join(f"+{one.short}" for one in self.adapters)

    def __str__(self) -> str:
        """Return the spec string again."""
        mark = "#" if self.base == "file" else "@"
        text = self.base if self.base in _BARE else f"{self.base}:{self.name}"
        return text + (f"{mark}{self.detail}" if self.detail else "") + "".join(f"+{one}" for one in self.adapters)


def parse_backend(spec: str, *, role: str | None = None) -> Backend:
    """Parse a spec string and, if a role is given, check that the role runs it in this version.

    Raises:
        InputError: When the spec has no such form, or the role cannot run it here.
    """
    base_text, *adapters = _SCHEME_AFTER_PLUS.split(spec.strip())
    base = _parse_part(base_text, spec)
    if adapters and base.base not in ("hf", "dir"):
        raise InputError(
            "a model that takes adapters", f"{base.base} in {spec!r}", "Adapters go on hf: and dir: bases."
        )
    backend = Backend(base.base, base.name, base.detail, tuple(_parse_part(one, spec) for one in adapters))
    if role is not None:
        _check_role(backend, role)
    return backend


def _parse_part(text: str, spec: str) -> Backend:
    scheme, colon, rest = text.partition(":")
    if scheme not in FORMS:
        close = difflib.get_close_matches(scheme, FORMS, n=1)
        hint = f" (did you mean {FORMS[close[0]]!r}?)" if close else ""
        raise InputError("a backend", f"{spec!r}{hint}", f"Use one of: {', '.join(FORMS.values())}.")
    if (scheme in _BARE) == bool(colon) or (colon and not rest):
        raise InputError(f"a backend of the form {FORMS[scheme]}", f"{spec!r}", f"Write {FORMS[scheme]}.")
    name, detail = _split_detail(scheme, rest)
    if scheme == "openai" and _holds_secret(detail or ""):  # not quoted: specs are shown, logged and written down
        remedy = f"Put the server's key into {KEY_VARIABLE}, and leave user, password and query out of the URL."
        raise InputError(
            "a server's URL without a user, a password or a query", f"one with them in openai:{name}", remedy
        )
    wrong = (scheme == "hf" and not _HF_NAME.fullmatch(name)) or (
        scheme == "openai" and not (detail or "").startswith(("http://", "https://"))
    )
    if wrong or (colon and not name):
        raise InputError(f"a backend of the form {FORMS[scheme]}", f"{spec!r}", f"Write {FORMS[scheme]}.")
    return Backend(scheme, name, detail)


def _holds_secret(url: str) -> bool:
    return "@" in url or "?" in url or "#" in url


def _split_detail(scheme: str, rest: str) -> tuple[str, str | None]:
    mark = {"hf": "@", "openai": "@", "file": "#"}.get(scheme)
    if mark is None or mark not in rest:
        return rest, None
    # A path may hold "#" and a model name "@": the last mark counts for files, the first for the others.
    name, _, detail = rest.rpartition(mark) if scheme == "file" else rest.partition(mark)
    return name, detail or None


# What brings the models of a role.
_INSTALL = {
    "retrieval": "Models run with `pip install 'geosleuth[encoders]'`",
    "matching": "Models run with `pip install 'geosleuth[encoders]'`",
    "reading": "Models come in a later version",
}
_INSTALL_VLM = "Models run with `pip install 'geosleuth[vlm]'`"


def _check_role(backend: Backend, role: str) -> None:
    if role not in RUNS_HERE:
        close = difflib.get_close_matches(role, RUNS_HERE, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise InputError("a role", f"{role!r}{hint}", f"Roles: {', '.join(RUNS_HERE)}.")
    accepted = RUNS_HERE[role]
    if backend.base in accepted and backend.adapters and role in ("retrieval", "matching"):
        raise InputError(
            f"a backend that the role {role} runs",
            f"an adapter in {str(backend)!r}",
            "Merge the adapter into its base, and name the folder: dir:PATH.",
        )
    if backend.base not in accepted:
        *others, last = (FORMS[base] for base in accepted)
        forms = f"{', '.join(others)} and {last}" if others else last
        raise InputError(
            f"a backend that the role {role} runs",
            f"{str(backend)!r}",
            f"{_INSTALL.get(role, _INSTALL_VLM)}; the role {role} accepts {forms} in this version.",
        )
