"""The fonts installed here that can draw each script, asked from fontconfig, and which of them training may see."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from geosleuth.indexes.errors import InputError

# A letter that every font of the script has and other fonts lack (for Greek and Cyrillic: one that symbol fonts lack).
_LETTERS = {
    "Latn": "ğ", "Cyrl": "Ж", "Grek": "ψ", "Hebr": "ש", "Arab": "ش", "Deva": "क", "Beng": "ক", "Guru": "ਕ", "Gujr": "ક",
    "Taml": "க", "Telu": "క", "Knda": "ಕ", "Mlym": "ക", "Sinh": "ක", "Thai": "ก", "Laoo": "ກ", "Khmr": "ក",
    "Mymr": "က", "Ethi": "ሀ", "Hang": "한", "Hani": "漢あ", "Geor": "ა", "Armn": "Ա", "Zyyy": "ğ",
}  # fmt: skip
# Looks that no street sign has: music, mathematics, mono-spaced code, school hands, hair-thin strokes.
_UNFIT = ("Math", "Music", "Mono", "Symbol", "Rashi", "ExtraLight", "Slanted", "Unjoined", "Display", "OTF", "Emoji")


@lru_cache(maxsize=1)
def fonts_by_script() -> dict[str, tuple[list[Path], list[Path]]]:
    """List (training, test) fonts per script: of four or more, every fourth is kept for the test."""
    if shutil.which("fc-list") is None:
        raise InputError("fontconfig's fc-list", "no such program", "Install it: apt-get install fontconfig.")
    fonts = {}
    for script, letters in _LETTERS.items():
        query = ":charset=" + " ".join(f"{ord(letter):x}" for letter in letters)
        command = ["fc-list", query, "file"]  # from PATH, as checked above
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        files = sorted({line.strip(": ") for line in found.splitlines() if line.strip()})
        paths = [Path(file) for file in files if not any(word in file for word in _UNFIT)]
        paths = [path for path in paths if path.suffix.lower() in (".ttf", ".otf", ".ttc")]
        held = paths[3::4] if len(paths) >= 4 else []
        fonts[script] = ([path for path in paths if path not in held], held or paths)
    return fonts
