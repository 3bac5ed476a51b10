"""Small reviews to decide about: pairs of invented pictures, and invented answers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from geosleuth.training.gleam_x.record import PairRecord, Reasons
from geosleuth.training.review.decision import Accept, Edit, Rate, Reject, Undo
from geosleuth.training.review.folder import Review, make_review
from geosleuth.training.review.item import ReasonsItem, pair_item

START = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = Reasons(agreeing=("a junction",), disagreeing=(), conclusion="The roads agree.")
OTHER = Reasons(agreeing=("a bend",), disagreeing=("no tower",), conclusion="Both bend.")
THIRD = Reasons(conclusion="Nothing can be told.")


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def accept(item: str, minute: float = 0, **more) -> Accept:
    return Accept(item=item, at=at(minute), **more)


def edit(item: str, minute: float = 0, text: Reasons = OTHER, **more) -> Edit:
    return Edit(item=item, at=at(minute), edited=text, **more)


def reject(item: str, minute: float = 0, why: str = "vague", **more) -> Reject:
    return Reject(item=item, at=at(minute), why=why, **more)


def rate(item: str, presence: int, logic: int, help: int, minute: float = 0) -> Rate:  # noqa: A002
    return Rate(item=item, at=at(minute), presence=presence, logic=logic, help=help)


def undo(item: str, minute: float = 0, **more) -> Undo:
    return Undo(item=item, at=at(minute), **more)


def record(number: int, **more) -> PairRecord:
    given = {
        "pair_id": f"p{number}",
        "query_path": "street.jpg",
        "query_view": "ground",
        "query_modality": "panorama",
        "satellite_path": "above/tile.jpg",
        "label": "match",
        "explanation": TEXT,
        "teacher": "rules",
        "source_dataset": "invented",
    }
    return PairRecord.model_validate(given | more)


def pictures(root: Path) -> Path:
    from PIL import Image

    (root / "above").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40), (90, 90, 90)).save(root / "street.jpg")
    Image.new("RGB", (40, 40), (30, 90, 30)).save(root / "above" / "tile.jpg")
    return root


def pairs(folder: Path, count: int) -> Review:
    return make_review(folder / "review", [pair_item(record(n)) for n in range(count)], pictures(folder / "pictures"))


def answers(folder: Path, count: int) -> Review:
    items = [
        ReasonsItem(id=f"a{n}", path="street.jpg", country="France", city="Quimper", reasons=("A French sign.",))
        for n in range(count)
    ]
    return make_review(folder / "review", items, pictures(folder / "pictures"))
