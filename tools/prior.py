"""Predictions of a model, recorded in a CSV file earlier, as evidence: `file:PATH[#MODEL]`.

Columns: model, source_file, predicted_country, predicted_city, lat, lon. The first model in the file counts where none
is named. A photo is found by its file name.
"""

from __future__ import annotations

import csv
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.countries import country_name, find_country
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence, Likelihood, Nothing, Support
from geosleuth.tools.prior_likelihood import country_likelihood, place_likelihood
from geosleuth.tools.quoting import quoted

logger = logging.getLogger(__name__)

COLUMNS = ("model", "source_file", "predicted_country", "predicted_city", "lat", "lon")


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
        rows: dict[str, Prediction] = {}
        for number, row in enumerate(table, start=2):
            if row["model"] != chosen:
                continue
            if row["source_file"] in rows:  # two runs in one file, it may be: the rest can still be used
                # Without the photo's name: logs name no photo and no place.
                logger.warning("Line %d of %s: a second row of %r for a photo; the first counts", number, path, chosen)
                continue
            rows[row["source_file"]] = _prediction(row, path, number)
        return cls(path, chosen, rows, digest)

    def __repr__(self) -> str:
        return f"RecordedPredictions({self.path.name}#{self.model}: {len(self.rows)} photos)"

    def evidence_for(self, photo_name: str) -> list[Evidence]:
        """Return what the model said about a photo; `Nothing` with the reason where it said nothing."""
        prediction, name = self.rows.get(photo_name), self._named
        if prediction is None:
            photo = quoted(photo_name, bare=True)
            return [self._nothing(f"{self.path.name} has no prediction of {name} for {photo}")]
        found = []
        if prediction.country:
            claim = f"{name} says the country is {country_name(prediction.country)}."
            found.append(self._evidence("country", claim, country_likelihood(prediction.country), prediction))
        if prediction.position:
            lat, lon = prediction.position
            city = quoted(prediction.city, bare=True)
            where = f"{city} ({lat:.4f}, {lon:.4f})" if city else f"{lat:.4f}, {lon:.4f}"
            claim = f"{name} puts the photo at {where}."
            found.append(self._evidence("place", claim, place_likelihood(lat, lon, prediction.city), prediction))
        if found:
            return found
        written = quoted(prediction.written, bare=True)
        return [self._nothing(f"{name} named {written!r}, which is no country, and no position")]

    @property
    def _named(self) -> str:
        """The model, as a sentence may hold it: a cell of the file can be of any length, and hold anything."""
        return quoted(self.model, bare=True)

    def _evidence(self, kind: str, claim: str, likelihood: Likelihood, prediction: Prediction) -> Evidence:
        text = ", ".join(quoted(one, bare=True) for one in (prediction.city, prediction.written) if one)
        return Evidence(
            tool="prior",
            type=f"prior.{kind}",
            claim=claim,
            likelihood=likelihood,
            group=f"prior:{self._named}",  # country and point are one opinion
            support=(Support(text=text, source=f"{self.path.name}#{self._named}"),),
            weights=f"{self._named}, recorded in {self.path.name} (sha256 {self.sha256[:12]})",
        )

    def _nothing(self, reason: str) -> Evidence:
        claim = f"{self._named} says nothing about this photo."
        return Evidence(tool="prior", type="prior.country", claim=claim, likelihood=Nothing(reason=reason))


def recorded_models(path: str | Path) -> list[str]:
    """Return the models of a file, in its order.

    Raises:
        InputError: It cannot be read, or lacks a column.
    """
    return list(dict.fromkeys(row["model"] for row in _table(Path(path).expanduser())[0]))


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
    try:
        reader = csv.DictReader(text.splitlines(), restval="")
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        rows = list(reader)
    except csv.Error as error:  # a cell of over 131,072 characters, as no prediction has
        raise InputError(wanted, f"{path}: {error}", "Correct or leave out that line.") from error
    if missing:
        found = f"{path} without {', '.join(missing)}"
        raise InputError(wanted, found, f"The first line must name the columns {', '.join(COLUMNS)}.")
    return rows, hashlib.sha256(content).hexdigest()


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
            logger.warning("Line %d of %s: lat and lon are no position; left out", line, path)
    return Prediction(find_country(written) if written else None, written, row["predicted_city"].strip(), position)
