"""The three measures of a model's reasons, from 1 to 5, with what each value means; shown beside the buttons.

The measures are those that the project asks of people; the wording of the values is ours.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Measure = Literal["presence", "logic", "help"]
LOWEST, HIGHEST = 1, 5


class Scale(NamedTuple):
    """One measure."""

    name: str
    question: str
    values: tuple[str, str, str, str, str]  # what 1, 2, 3, 4, 5 mean


SCALES: dict[Measure, Scale] = {
    "presence": Scale(
        "Presence",
        "Is what it names in the photo?",
        (
            "nothing that it names can be seen",
            "little of it can be seen",
            "about half of it can be seen",
            "nearly all of it can be seen",
            "all of it can be seen",
        ),
    ),
    "logic": Scale(
        "Logic",
        "Does the conclusion follow from what it names?",
        (
            "it contradicts what it names",
            "it does not follow",
            "it may be so, and many other places fit as well",
            "it is likely, and few other places fit",
            "it follows: hardly another place fits",
        ),
    ),
    "help": Scale(
        "Help",
        "Would it help a person to find the place?",
        (
            "it would lead a person astray",
            "it tells a person nothing new",
            "it narrows the search a little",
            "it narrows the search a lot",
            "a person could check it and find the place with it",
        ),
    ),
}
