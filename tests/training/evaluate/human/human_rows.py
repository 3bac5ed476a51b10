"""Photos, answers and agent's rows whose figures are known by hand; all invented."""

import hashlib
from datetime import UTC, datetime, timedelta

from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.human.answer import Answer

LYON, PARIS, MADRID, BREST = (45.7640, 4.8357), (48.8566, 2.3522), (40.4168, -3.7038), (48.3904, -4.4861)


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def truth(number: int, at=LYON, country="FR", city="Lyon") -> Truth:
    return Truth(file=f"{number}.jpg", sha256=sha(number), lat=at[0], lon=at[1], country=country, city=city)


def answer(number: int, person="anna", *, seconds=10.0, **said) -> Answer:
    """Return an answer: a place in Lyon, unless told otherwise."""
    said = {"given": "place", "point": LYON, "country": "FR", "city": "Lyon", "sure": 0.75, "clues": ("text",)} | said
    at = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(minutes=number)
    return Answer(data="towns", person=person, file=f"{number}.jpg", photo=sha(number), at=at, seconds=seconds, **said)


def nothing(number: int, person="anna") -> Answer:
    return answer(number, person, given="nothing", point=None, country=None, city=None, sure=None, clues=())


def agent_row(number: int, error_km: float | None, country: str | None, status="localized", **more) -> Scored:
    return Scored(
        truth=more.pop("truth", truth(number)),
        status=status,
        point=None if error_km is None else PARIS,
        error_km=error_km,
        point_country=country,
        named_country=country,
        probability=0.5,
        **more,
    )
