"""Which files a data set's folder holds: each folder is read once, since asking for 480,000 files takes minutes."""

from __future__ import annotations

import os
from pathlib import Path

from geosleuth.indexes.errors import InputError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Reasons why a row is skipped; reports count by them.
NO_FILE = "no such file"
NO_TILE = "its satellite tile is missing"
BLANK_LINE = "a blank line"


class Listing:
    """The files below a root. Links are followed: large sets are often linked from another disk."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - Path.absolute() keeps `..`
        self._prefix = f"{self.root}{os.sep}"
        self._files: dict[str, set[str]] = {}

    def has(self, path: str) -> bool:
        """Tell whether there is a file, by its path relative to the root, with slashes."""
        folder, _, name = path.rpartition("/")
        return name in self.files(folder)

    def path(self, relative: str) -> str:
        """Return the absolute path of a file."""
        return self._prefix + relative

    def files(self, folder: str) -> set[str]:
        """Return the names of a folder's files; none where there is no such folder.

        Raises:
            InputError: The folder may not be read.
        """
        known = self._files.get(folder)
        if known is None:
            known = self._files[folder] = {entry.name for entry in self._entries(folder) if entry.is_file()}
        return known

    def folders(self, folder: str) -> list[str]:
        """Return the names of a folder's folders, sorted; hidden ones are left out.

        Raises:
            InputError: The folder may not be read.
        """
        return sorted(one.name for one in self._entries(folder) if one.is_dir() and not one.name.startswith("."))

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            found = f"one that cannot be read ({error})"
            raise InputError(f"the folder {self.root / folder}", found, "Change its permissions.") from error


def read_lines(listing: Listing, path: str) -> list[str]:
    """Read a text file of the data set as lines without their ends.

    Raises:
        InputError: There is no such file, or it is no text in UTF-8.
    """
    where = listing.root / path
    try:
        return where.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise InputError(f"the file {where}", "no such file", "Copy the data set's lists again.") from error
    except (OSError, UnicodeDecodeError) as error:
        found = f"one that cannot be read ({error})"
        raise InputError(f"the file {where}", found, "Copy the data set's lists again.") from error
