"""Predictions of a model, recorded in a CSV file earlier, as evidence: `file:PATH[#MODEL]`.

Columns: model, source_file, predicted_country, predicted_city, lat, lon. The first model in the file counts where none
is named. A photo is found by its file name.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.countries import country_codes, country_name, find_country
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence, Likelihood, NearPlace, NearPoints, Nothing, OverRegions, Support
from geosleuth.tools.named_places import people_within, population_shares

logger = logging.getLogger(__name__)

COLUMNS = ("model", "source_file", "predicted_country", "predicted_city", "lat", "lon")

# How a vision-language model errs before anything is known about this one; the belief's calibration scales it. Eight
# models of 2023 to 2025, asked for 301 street views, named 21 to 77 % of the countries rightly (median 61 %), and fell
# within 25, 200 and 750 km for 11, 39 and 64 % (medians). The constants are set below that: country and point are one
# opinion, which the belief counts a little more than once.
HIT_RATE = 0.5  # of countries
_BY_PEOPLE = 0.5  # of wrong countries are named in proportion to people, the others evenly: models name small ones too
# Distance from prediction to truth as a mixture of Gaussians: (share, spread in km per axis); the rest falls anywhere.
ERRORS: tuple[tuple[float, float], ...] = ((0.1, 12.0), (0.15, 90.0), (0.25, 500.0))
_AROUND_KM = 100.0  # over which "where people live" is taken: a city with its region
_LAND_KM2 = 1.349e8  # land without Antarctica (CIA World Factbook)


@dataclass(frozen=True)
class Prediction:
    """One row of the file."""

    country: str | None  # ISO 3166-1 alpha-2; None where the name is no country
    written: str  # the country as the file has it
    city: str
    position: tuple[float, float] | None  # (lat, lon)


@dataclass(frozen=True)
class RecordedPredictions:
    """The predictions of one model, by file name."""

    path: Path
    model: str
    rows: Mapping[str, Prediction]
    sha256: str

    @classmethod
    def read(cls, path: str | Path, model: str | None = None) -> RecordedPredictions:
        """Read the rows of one model.

        Raises:
            InputError: For a file that is missing or unreadable, lacks a column or a number, or knows no such model.
        """
        path = Path(path).expanduser()
        table, digest = _table(path)
        models = list(dict.fromkeys(row["model"] for row in table))
        chosen = model or (models[0] if models else "")
        if chosen not in models:
            found = f"{chosen!r} among {', '.join(models) or 'no rows'} in {path}"
            raise InputError("a model in the file", found, "Name one of them: file:PATH#MODEL.")
        rows = {}
        for number, row in enumerate(table, start=2):
            if row["model"] == chosen:
                rows[row["source_file"]] = _prediction(row, path, number)
        return cls(path, chosen, rows, digest)

    def __repr__(self) -> str:
        return f"RecordedPredictions({self.path.name}#{self.model}: {len(self.rows)} photos)"

    def evidence_for(self, photo_name: str) -> list[Evidence]:
        """Return what the model said about a photo; `Nothing` with the reason where it said nothing."""
        prediction = self.rows.get(photo_name)
        if prediction is None:
            return [self._nothing(f"{self.path.name} has no prediction of {self.model} for {photo_name}")]
        found = []
        if prediction.country:
            claim = f"{self.model} says the country is {country_name(prediction.country)}."
            found.append(self._evidence("country", claim, country_likelihood(prediction.country), prediction))
        if prediction.position:
            lat, lon = prediction.position
            where = f"{prediction.city} ({lat:.4f}, {lon:.4f})" if prediction.city else f"{lat:.4f}, {lon:.4f}"
            claim = f"{self.model} puts the photo at {where}."
            found.append(self._evidence("place", claim, place_likelihood(lat, lon, prediction.city), prediction))
        if found:
            return found
        return [self._nothing(f"{self.model} named {prediction.written!r}, which is no country, and no position")]

    def _evidence(self, kind: str, claim: str, likelihood: Likelihood, prediction: Prediction) -> Evidence:
        text = ", ".join(filter(None, [prediction.city, prediction.written]))
        return Evidence(
            tool="prior",
            type=f"prior.{kind}",
            claim=claim,
            likelihood=likelihood,
            group=f"prior:{self.model}",  # country and point are one opinion
            support=(Support(text=text, source=f"{self.path.name}#{self.model}"),),
            weights=f"{self.model}, recorded in {self.path.name} (sha256 {self.sha256[:12]})",
        )

    def _nothing(self, reason: str) -> Evidence:
        claim = f"{self.model} says nothing about this photo."
        return Evidence(tool="prior", type="prior.country", claim=claim, likelihood=Nothing(reason=reason))


def country_likelihood(code: str, hit_rate: float = HIT_RATE) -> OverRegions:
    """P(the model names this country | the photo is there) over the same for a photo from elsewhere."""
    rate = _BY_PEOPLE * population_shares().get(code, 0.0) + (1.0 - _BY_PEOPLE) / len(country_codes())
    return OverRegions(log_ratios={code: math.log(hit_rate / ((1.0 - hit_rate) * rate))})


def place_likelihood(lat: float, lon: float, name: str | None = None) -> NearPoints:
    """Density of the model's errors over the density of its points for photos from elsewhere.

    Those fall where people live, for the most part: near a large city a wrong point is commoner than in a desert.
    """
    people = _BY_PEOPLE * people_within(lat, lon, _AROUND_KM) / (math.pi * _AROUND_KM**2)
    anywhere = (1.0 - sum(share for share, _ in ERRORS)) * (people + (1.0 - _BY_PEOPLE) / _LAND_KM2)
    places = tuple(
        NearPlace(lat=lat, lon=lon, spread_km=km, weight=share / (2 * math.pi * km**2) / anywhere, name=name or None)
        for share, km in ERRORS
    )
    return NearPoints(places=places, floor=1.0)


def _table(path: Path) -> tuple[list[dict[str, str]], str]:
    wanted = "a CSV file of recorded predictions"
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(wanted, f"no such file: {path}", "Correct the path after file:.") from error
    except UnicodeDecodeError as error:
        raise InputError(wanted, f"{path}, which is not UTF-8 text", "Save it as CSV in UTF-8.") from error
    except OSError as error:
        raise InputError(wanted, f"{path}: {error.strerror}", "Name one readable CSV file after file:.") from error
    reader = csv.DictReader(text.splitlines(), restval="")
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        found = f"{path} without {', '.join(missing)}"
        raise InputError(wanted, found, f"The first line must name the columns {', '.join(COLUMNS)}.")
    return list(reader), hashlib.sha256(content).hexdigest()


def _prediction(row: Mapping[str, str], path: Path, line: int) -> Prediction:
    written = row["predicted_country"].strip()
    position = None
    if row["lat"].strip() and row["lon"].strip():
        try:
            lat, lon = float(row["lat"]), float(row["lon"])
        except ValueError as error:
            found = f"{row['lat']!r}, {row['lon']!r} in line {line} of {path}"
            raise InputError("numbers for lat and lon", found, "Correct or empty them.") from error
        if -90 <= lat <= 90 and -180 <= lon <= 180:
            position = (lat, lon)
        else:  # models invent positions; one such row must not bar the rest
            logger.warning("Line %d of %s: %s, %s is no position; left out", line, path, row["lat"], row["lon"])
    return Prediction(find_country(written) if written else None, written, row["predicted_city"].strip(), position)
