"""The one error that a user may meet, in three parts."""

from __future__ import annotations


class InputError(ValueError):
    """Tell a user what was wanted, what was found, and what to do.

    Args:
        wanted: What geosleuth looked for, as a noun phrase ("a photo").
        found: What was there instead ("a folder: /tmp").
        remedy: What to do, as an imperative sentence ("Name one file, or use `geosleuth batch`.").
    """

    def __init__(self, wanted: str, found: str, remedy: str) -> None:
        super().__init__(f"Wanted {wanted}; found {found}. {remedy}")
        self.wanted = wanted
        self.found = found
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Pickle by the three parts, so that worker processes can raise it."""
        return type(self), (self.wanted, self.found, self.remedy)
