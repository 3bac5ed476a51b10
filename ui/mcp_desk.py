"""What geosleuth offers to another assistant, and what comes of a call; the protocol is mcp_server.py's.

`localize` runs the whole agent. `open_photo` opens a photo for single calls: each tool of the agent's table, with the
schema that its signature makes, and one argument more, which names the photo.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from geosleuth.agent.figures import bits
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.agent.localization import Localization, Regions, TraceStep
from geosleuth.agent.precision import coarsen_step
from geosleuth.agent.toolbox import DATA_PREFIX, Finding, Tool, as_data, first_sentence
from geosleuth.indexes.errors import InputError
from geosleuth.ui.mcp_photos import OpenPhoto, OpenPhotos, PhotoFolders

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent

_TOLD = 8  # findings in the short text, the strongest first; the JSON has them all

Hints = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=500)], ...],
    Field(description="What is known already: 'in Portugal', 'not Lisbon', 'north of the equator'."),
]
PhotoPath = Annotated[str, Field(min_length=1, description="A file in a folder that the server was started with.")]


class LocalizeArguments(BaseModel):
    """As `Agent.localize` takes them."""

    model_config = ConfigDict(extra="forbid")

    photo_path: PhotoPath
    hints: Hints = ()
    observations: Annotated[
        dict[str, str], Field(description="Answers to `questions` of an earlier answer: {its key: an option's key}.")
    ] = {}
    taken: Annotated[
        datetime | None, Field(description="When it was taken; without an offset: by the clock at the place itself.")
    ] = None
    sun_azimuth_deg: Annotated[
        float | None, Field(ge=0, lt=360, description="Where the sun stood then, clockwise from north; with `taken`.")
    ] = None
    sun_elevation_deg: Annotated[
        float | None, Field(gt=0, le=90, description="How high it stood then; with `taken`.")
    ] = None
    outlines: Annotated[
        bool, Field(description="Keep the regions' outlines in the JSON: up to 100 kB of coordinates.")
    ] = False


class OpenArguments(BaseModel):
    """Which photo, and what is known of it."""

    model_config = ConfigDict(extra="forbid")

    photo_path: PhotoPath
    hints: Hints = ()


@dataclass(frozen=True)
class Result:
    """What a call brings back: words for the assistant, and JSON."""

    text: str
    structured: dict[str, Any] | None = None
    failed: bool = False


@dataclass(frozen=True)
class Offer:
    """One tool as it is offered."""

    name: str
    description: str
    arguments: type[BaseModel]
    run: Callable[[Any], Result]
    output: type[BaseModel] | None = None

    def checked(self, given: Mapping[str, Any]) -> BaseModel:
        """Validate the arguments.

        Raises:
            InputError: One is missing, unknown, or of the wrong kind.
        """
        try:
            return self.arguments.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "arguments"
            remedy = "Call it with arguments as its input schema has them."
            raise InputError(f"arguments of {self.name}", f"{where}: {first['msg'].lower()}", remedy) from error


class Desk:
    """What one server serves: an agent, the folders it may read, and the photos that are open.

    Args:
        agent: Its settings hold, a cap on precision among them.
        folders: Photos are opened in here only.
    """

    def __init__(self, agent: Agent, folders: Sequence[Path]) -> None:
        self.agent = agent
        self.folders = PhotoFolders.of(folders)
        self.open = OpenPhotos()
        own = (
            Offer("localize", first_sentence(self.localize), LocalizeArguments, self.localize, Localization),
            Offer("open_photo", first_sentence(self.open_photo), OpenArguments, self.open_photo),
        )
        self.offers = {offer.name: offer for offer in (*own, *map(self._offer, agent.tools.values()))}

    def localize(self, arguments: LocalizeArguments) -> Result:
        """Say where a photo was taken, how sure that is, and why; runs every tool that helps, in seconds."""
        sun = (arguments.sun_azimuth_deg, arguments.sun_elevation_deg)
        answer = self.agent.localize(
            self.folders.find(arguments.photo_path),
            list(arguments.hints),
            observations=arguments.observations or None,
            taken=arguments.taken,
            sun=None if sun == (None, None) else sun,
        )
        whole = answer if arguments.outlines else answer.model_copy(update={"regions": Regions()})
        # Signs, file names and gallery addresses stand in the answer: made inert there as well as in the text.
        return Result(DATA_PREFIX + as_data(_short(answer)), json.loads(as_data(whole.model_dump(mode="json"))))

    def open_photo(self, arguments: OpenArguments) -> Result:
        """Open a photo for single tool calls, and return its id; read it with `metadata` and `read_text` first."""
        photos = self.agent.load(self.folders.find(arguments.photo_path))
        stated = tuple(Hint(text=text) for text in arguments.hints)
        name = self.open.add(OpenPhoto.of(self.agent.investigation(photos, Inquiry(statements=stated))))
        facts = {"photo": name, "name": photos[0].name, "size": photos[0].size, "notes": photos[0].notes}
        return Result(DATA_PREFIX + as_data(facts))

    def call(self, name: str, given: Mapping[str, Any]) -> Result:
        """Run a tool.

        Raises:
            InputError: No such tool, wrong arguments, or whatever else a user can mend.
        """
        from langsmith import tracing_context

        if name not in self.offers:
            raise InputError("a tool of this server", repr(name), f"Its tools are {', '.join(self.offers)}.")
        offer = self.offers[name]
        with tracing_context(enabled=False):  # LANGSMITH_TRACING in the environment must not send photos anywhere
            return offer.run(offer.checked(given))

    def _offer(self, tool: Tool) -> Offer:
        photo = (str, Field(description="The id that open_photo returned."))
        arguments = create_model(f"{tool.name}_of_photo", __base__=tool.arguments, photo=photo)
        return Offer(tool.name, tool.description, arguments, lambda given: self._run(tool, given))

    def _run(self, tool: Tool, given: BaseModel) -> Result:
        args = given.model_dump()
        step, finding = self.open.get(args.pop("photo")).call(tool, args)
        cap_km = self.agent.settings.precision_cap_km
        if not step.ok:
            hidden = f"failed: {step.failure.error}" if step.failure else "failed"
            return Result(in_error(tool.name, step.result if cap_km is None else hidden), failed=True)
        return Result(finding.for_planner() if cap_km is None else _coarse(step, finding, cap_km))


def in_error(tool: str, words: str) -> str:
    """Say that a call failed; the words are data, for they may quote a sign or a file name."""
    return f"Error: {as_data({'found': f'{tool} {words}'})}"


def _coarse(step: TraceStep, finding: Finding, cap_km: float) -> str:
    """Tell a finding as the agent streams it under a cap: without its figures, its signs, and claims of places."""
    step, told = coarsen_step(step, finding.evidence, cap_km)
    return Finding(step.result, told).for_planner()


def _short(answer: Localization) -> dict[str, Any]:
    """Put the answer in few words: an assistant's context is small, and the whole is in the JSON."""
    strongest = sorted(answer.evidence, key=lambda item: -abs(item.contribution_bits))[:_TOLD]
    country = answer.country
    return {
        "status": answer.status,
        "reason": answer.reason,
        # Never 1.000: no evidence is that sure.
        "country": country and f"{country.name}, probability {min(country.probability, 0.999):.3f}",
        "city": answer.city and answer.city.name,
        "point": answer.point and [answer.point.lat, answer.point.lon],
        "radius_km": answer.radius_km,
        "regions": [
            f"{one.properties.share:.0%} of the belief within {one.properties.area_km2:,.0f} km2"
            for one in answer.regions.features
        ],
        "evidence": [f"{item.claim} ({bits(item.contribution_bits)})" for item in strongest],
        "contradictions": [item.claim for item in answer.contradictions],
        "notes": answer.notes,
    }
