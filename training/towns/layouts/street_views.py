"""Street views as GeoReasoner is trained on: photos by hand along streets, with country and city, and reasons in words.

Synthetic: towns and looks are invented. The country codes and the names of cities are real, and say nothing of what
is seen. Views differ in how much of a place they show, so that a threshold of locatability has something to sort out:
`KINDS` has the shares.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial

import numpy as np

from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.geodesy import unit_vectors
from geosleuth.training.towns.language.of_view import features_of_rendered
from geosleuth.training.towns.language.phrases import sentence
from geosleuth.training.towns.language.vocabulary import FEATURES
from geosleuth.training.towns.making.position import LEAST_PEOPLE, style_of_seed
from geosleuth.training.towns.places import Place, street_places
from geosleuth.training.towns.shots import About, Layout, Shot, TownPlan, street_shot
from geosleuth.training.towns.sign_ahead import towards_sign
from geosleuth.training.towns.town import NOTHING, Rendered, Town
from geosleuth.training.towns.world import World

NAME = "street_views"
MANIFEST, REASONED = "street_views.csv", "reasoned.jsonl"
HEADER = ("file", "lat", "lon", "country", "city", "heading_deg", "kind", "town_seed", "split")
SPLITS = ("train", "held_out_town", "held_out_country")
MOST_REASONS = 6  # as many as one reads; the most telling come first
_SALT = 9
_CAMERA_MARGIN_M = 4.0
_HELD_OUT = 6  # one country of six, and one town of six among those whose country has another
_NEAR_M = 15.0  # as far as one walks to stand before a wall
_BEFORE_M = 1.5  # of a wall or a trunk: it fills most of the picture
_TURN_DEG = 10.0  # nobody holds a camera straight
_UP_DEG = (30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to take a photo."""

    name: str
    share: float  # of the views


# The last two show little of a place: 30 % of the views, between the half of GeoReasoner's street views that its
# threshold of 0.4 left out (of 130 K some 70 K stayed) and none.
KINDS = (
    Kind("along", 0.40),  # the street ahead
    Kind("across", 0.20),  # the fronts of one side
    Kind("any", 0.10),  # a direction at random
    Kind("up", 0.15),  # roofs, crowns and sky
    Kind("close", 0.15),  # before the nearest wall, hedge or tree
)


def plan(town: Town, index: int, world: World) -> TownPlan:
    """Say which views a town gives; what is written of each follows from what it shows."""
    rng = np.random.default_rng([town.seed, _SALT])
    split = split_of(index, world)
    places = street_places(town, world.places, rng, margin_m=_CAMERA_MARGIN_M)
    kinds = rng.choice(len(KINDS), len(places), p=[kind.share for kind in KINDS])
    shots = []
    for number, place in enumerate(places):
        file = f"images/town{index:06d}-{number:04d}.jpg"
        about = About(file, f"{index}-{number}", split)
        kind = KINDS[int(kinds[number])].name
        looked, pitch_deg = _looking(town, place, kind, rng)
        readable = number % 2 == 0
        if readable and kind in ("across", "any"):  # people photograph what has a name
            looked = towards_sign(town, looked)
        shot = street_shot(town, world, about, looked, readable=readable, pitch_deg=pitch_deg)
        shots.append(replace(shot, lines=partial(_lines, town, shot, kind, split)))
    return TownPlan(shots)


@cache
def _countries(world: World) -> tuple[str, ...]:
    return tuple(style_of_seed(world.town_seed(index)).country for index in range(world.towns))


def split_of(index: int, world: World) -> str:
    """Return a town's split.

    The last sixth of a world's countries is held out whole, in the order in which they appear. Of the other towns the
    last sixth is held out, as long as another of the same country stays: so a world needs 33 towns before it has any,
    one round through the 32 styles and one more.
    """
    countries = _countries(world)
    distinct = list(dict.fromkeys(countries))
    unseen = set(distinct[len(distinct) - len(distinct) // _HELD_OUT :])
    if countries[index] in unseen:
        return "held_out_country"
    seen = [number for number, country in enumerate(countries) if country not in unseen]
    again = [number for number in seen if countries[number] in countries[:number]]
    wanted = max(1, len(seen) // _HELD_OUT)
    return "held_out_town" if index in again[-wanted:] else "train"


def city_of(town: Town) -> str:
    """Return the name of the nearest place of the town's country with `LEAST_PEOPLE` people or more.

    A real name on an invented town: it is what a street view's address would say.
    """
    middle = town.position(town.side_m / 2, town.side_m / 2)
    gazetteer = load_gazetteer()
    own = gazetteer.country == gazetteer.country_codes.index(town.style.country)
    rows = np.flatnonzero(own & (gazetteer.population >= LEAST_PEOPLE))
    vectors = unit_vectors(np.asarray(gazetteer.lat[rows]), np.asarray(gazetteer.lon[rows]))
    here = unit_vectors(np.array([middle.lat]), np.array([middle.lon]))[0]
    return gazetteer.place(int(rows[int(np.argmax(vectors @ here))])).name


def _looking(town: Town, place: Place, kind: str, rng: np.random.Generator) -> tuple[Place, float]:
    """Return where the camera stands and looks, and its pitch."""
    aside = float(rng.uniform(-_TURN_DEG, _TURN_DEG))
    if kind == "across":
        return _turned(place, place.heading_deg + float(rng.choice((-90.0, 90.0))) + aside), 0.0
    if kind == "any":
        return _turned(place, float(rng.uniform(0.0, 360.0))), 0.0
    if kind == "up":
        return _turned(place, float(rng.uniform(0.0, 360.0))), float(rng.uniform(*_UP_DEG))
    if kind == "close":
        return _before_nearest(town, place), 0.0
    return _turned(place, place.heading_deg + aside), 0.0


def _turned(place: Place, heading_deg: float) -> Place:
    return replace(place, heading_deg=heading_deg % 360.0)


def _before_nearest(town: Town, place: Place) -> Place:
    """Stand before the nearest structure and face it; where there is none near, the place as it is."""
    reach, last = math.ceil(_NEAR_M / town.cell_m), town.owner.shape[0] - 1
    row, column = last - int(place.y_m / town.cell_m), int(place.x_m / town.cell_m)
    top, left = max(row - reach, 0), max(column - reach, 0)
    rows, columns = np.nonzero(town.owner[top : row + reach + 1, left : column + reach + 1] != NOTHING)
    if not len(rows):
        return place
    east = (columns + left + 0.5) * town.cell_m - place.x_m
    north = (last - rows - top + 0.5) * town.cell_m - place.y_m
    nearest = int(np.argmin(east**2 + north**2))
    away = math.hypot(east[nearest], north[nearest])
    step = max(away - _BEFORE_M, 0.0) / away
    heading_deg = math.degrees(math.atan2(east[nearest], north[nearest])) % 360.0
    return Place(place.x_m + east[nearest] * step, place.y_m + north[nearest] * step, heading_deg)


def _lines(town: Town, shot: Shot, kind: str, split: str, rendered: Rendered) -> Mapping[str, list[str]]:
    """Return a view's row of the manifests and, where there is something to say, its line of reasons."""
    at, city = town.position(shot.x_m, shot.y_m), _city(town)
    row = _csv_line((
        shot.about.file, f"{at.lat:.7f}", f"{at.lon:.7f}", town.style.country, city, f"{shot.heading_deg:.3f}",
        kind, str(town.seed), split,
    ))  # fmt: skip
    lines = {MANIFEST: [row], f"{split}.csv": [row]}
    features = features_of_rendered(
        rendered, town, view="ground", x_m=shot.x_m, y_m=shot.y_m, heading_deg=shot.heading_deg
    )
    reasons = [sentence(one.id) for one in FEATURES if one.id in features][:MOST_REASONS]
    if reasons:
        said = {"image": shot.about.file, "country": town.style.country, "city": city, "reasons": reasons}
        lines[reasoned_file(split)] = [json.dumps(said, ensure_ascii=False)]
    return lines


def reasoned_file(split: str) -> str:
    """Return the list of reasons of a split; what is learned from has the plain name."""
    return REASONED if split == "train" else f"reasoned_{split}.jsonl"


@lru_cache(maxsize=1)  # a town is large, and its views come together
def _city(town: Town) -> str:
    return city_of(town)


def _csv_line(values: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


README = f"""Street views of invented towns, for GeoReasoner's training. `city` is the real name of the nearest city to
a position at which an invented town was put: no picture shows that city, and `country` goes with an invented look.

{MANIFEST}: all views; train.csv, held_out_town.csv, held_out_country.csv: those of a split, with the same columns.
`kind` says how the photo was taken: {", ".join(f"{kind.name} {kind.share:.0%}" for kind in KINDS)}.
{REASONED}: what the views for training show, in sentences that rules made from the lists of objects; the reasons of the
other splits are beside it, for evaluation alone. A view of which nothing can be said has no line there."""
_TABLES = (MANIFEST, *(f"{split}.csv" for split in SPLITS))
LAYOUT = Layout(
    NAME,
    plan,
    README,
    SPLITS,
    lists=(*_TABLES, *(reasoned_file(split) for split in SPLITS)),
    headers={table: ",".join(HEADER) for table in _TABLES},
)
