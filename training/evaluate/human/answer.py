"""What a person says of a photo: a line of an answers file. It holds no truth, and nobody is shown one."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from geosleuth.indexes.countries import country_codes, country_name
from geosleuth.training.evaluate.agent.scored import Share

Clue = Literal[
    "text", "language", "road_markings", "vehicles", "architecture", "plants", "light", "landmark", "other"
]  # fmt: skip
CLUES: dict[Clue, str] = {
    "text": "Text that names the place",
    "language": "Language or script",
    "road_markings": "Road, markings, signs",
    "vehicles": "Vehicles and plates",
    "architecture": "Architecture",
    "plants": "Plants and land",
    "light": "Light and weather",
    "landmark": "A landmark I know",
    "other": "Something else, or a feeling",
}
# Of the country being right. Few steps, far apart: nobody tells 62 % from 65 %, and words alone mean other shares to
# other people (Beyth-Marom, "How probable is probable?", 1982).
SURE: dict[float, str] = {
    0.05: "5 %: a wild guess",
    0.25: "25 %: one of a few",
    0.5: "50 %: as likely as not",
    0.75: "75 %: rather sure",
    0.95: "95 %: nearly certain",
}
Given = Literal["map", "place", "country", "coordinates", "nothing"]


class Answer(BaseModel):
    """Where a person takes a photo to be from; of several of one photo the last counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Annotated[str, Field(max_length=200)]
    """Name of the data set."""
    person: Annotated[str, Field(pattern=r"^[^\W_][\w-]{0,31}$")]
    """What they call themselves, as reviewers do."""
    file: str
    """As the data set names the photo; never shown to the person, since names may tell."""
    photo: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the photo's file: pairs the answer with the agent's."""
    at: AwareDatetime
    seconds: Annotated[float, Field(ge=0)]
    """Since the photo was first shown in this tab."""
    given: Given
    """How it was said."""
    point: tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]] | None = None
    """(lat, lon); None where a country alone was named, or nothing."""
    country: str | None = None
    """ISO 3166-1 alpha-2: named, or that of the point; None on the open sea."""
    city: str | None = None
    """As the gazetteer calls it; None where none was named."""
    sure: Share | None = None
    """How probable the person takes the country to be."""
    clues: tuple[Clue, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Answer:
        if self.given == "nothing":
            if (self.point, self.country, self.city, self.sure) != (None, None, None, None):
                raise ValueError("who cannot tell names no place")
        elif self.given == "country":
            if self.country is None or self.point is not None:
                raise ValueError("a country alone has a name and no point")
        elif self.point is None:
            raise ValueError("a place has a point")
        if self.country is not None and self.country not in country_codes():
            raise ValueError("no country has this code")
        return self


def in_words(answer: Answer) -> str:
    """Say an answer on one line."""
    if answer.given == "nothing":
        return "cannot tell"
    country = country_name(answer.country) if answer.country else "no country"
    where = ", ".join(part for part in (answer.city, country) if part)
    at = "" if answer.point is None else f" ({answer.point[0]:.4f}, {answer.point[1]:.4f})"
    sure = "" if answer.sure is None else f", {answer.sure:.0%} sure"
    return f"{where}{at}{sure}"


assert set(CLUES) == set(get_args(Clue))  # noqa: S101  # of this file, not of users
