"""Which photos a person has still to answer, in an order of that person's own.

Orders differ so that all people's tiredness, and what they learn on the way, does not fall on the same photos. They
follow from the names alone: nothing is kept, and a later day, or more photos, goes on in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.human.answer_file import Answers
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.training.review.folder import check_apart, check_reviewer


def in_order(photos: Sequence[LabelledPhoto], person: str) -> list[LabelledPhoto]:
    """Return the photos as this person sees them."""

    def place(photo: LabelledPhoto) -> bytes:
        return hashlib.sha256(f"{person}\0{photo.file}".encode(errors="surrogatepass")).digest()

    return sorted(photos, key=place)


def left(photos: Sequence[LabelledPhoto], person: str, answers: Answers) -> list[LabelledPhoto]:
    """Return those that the person has not answered, in the person's order."""
    return [photo for photo in in_order(photos, person) if (person, photo.file) not in answers.last]


def check_person(name: str, answers: Answers) -> str:
    """Return the name, if answers can be kept under it.

    Raises:
        InputError: It is none, or differs from another person's in capitals alone.
    """
    name = name.strip()
    try:
        check_reviewer(name)
        check_apart([*answers.people, name])
    except InputError as error:
        raise InputError("your name, or what you like to be called", error.found, error.remedy) from error
    return name
