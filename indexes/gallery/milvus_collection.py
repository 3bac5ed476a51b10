"""What a gallery is inside Milvus: a collection of references, and one beside it that says what they are.

The collection has a row per reference: its vector, the geography as scalar fields that filters use, and all of it as
JSON. The second one, named COLLECTION__geosleuth, has a row per fact: rows are the one thing that every version of
Milvus keeps and lets change; descriptions and properties are not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from geosleuth.indexes.cells import cells_at, parents
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.milvus_connection import MilvusLocation, milvus_errors
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.geodesy import Floats

COARSE, FINE = 2, 4  # H3: cells of 87,000 and 1,770 km2; a country is some of the first and a border of the second
COARSE_FIELD, FINE_FIELD = f"h3_{COARSE}", f"h3_{FINE}"
MOST_ROWS = 16_384  # that Milvus returns at once (quotaAndLimits.limits.maxQueryResultWindow)
# As in a folder: up to here comparing all is fast enough, and exact.
FLAT_ROWS = 200_000

_FLAT: dict[str, Any] = {"index_type": "FLAT", "metric_type": "COSINE"}
# M and efConstruction of Milvus' own example for high recall; ef is set by each search.
_GRAPH: dict[str, Any] = {"index_type": "HNSW", "metric_type": "COSINE", "params": {"M": 32, "efConstruction": 200}}
_MOST_BYTES = 65_535  # of a VARCHAR


class CollectionFacts(BaseModel):
    """What the rows of a collection are."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    encoder: EncoderFacts
    sources: tuple[SourceFacts, ...]
    complete: bool
    """False while the first upload runs, or after it was interrupted."""


def facts_name(collection: str) -> str:
    """The collection beside it that holds its facts."""
    return f"{collection}__geosleuth"


def read_facts(client: Any, location: MilvusLocation) -> CollectionFacts | None:
    """Read what a collection holds; None where there is none, or none of ours."""
    name = facts_name(location.collection)
    with milvus_errors(location, f"the collection {location.collection}"):
        if not client.has_collection(location.collection) or not client.has_collection(name):
            return None
        client.load_collection(name)
        rows = client.query(name, ids=["facts"], output_fields=["value"], consistency_level="Strong")
    if not rows:
        return None
    try:
        return CollectionFacts.model_validate_json(rows[0]["value"])
    except ValidationError as error:
        found = f"other facts than this version's in {name}"
        raise InputError("a collection that geosleuth made", found, "Upload the index again.") from error


def write_facts(client: Any, location: MilvusLocation, facts: CollectionFacts) -> None:
    """Write what a collection holds."""
    value = facts.model_dump_json()
    if len(value.encode()) > _MOST_BYTES:
        found = f"{len(facts.sources)} sources, whose paths are too long together"
        raise InputError("facts of at most 64 kB", found, "Upload them into several collections.")
    name = facts_name(location.collection)
    with milvus_errors(location, f"the collection {name}"):
        if not client.has_collection(name):
            _create_facts(client, name)
        client.upsert(name, [{"key": "facts", "value": value, "vector": [1.0, 0.0]}])


def _create_facts(client: Any, name: str) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("value", DataType.VARCHAR, max_length=_MOST_BYTES)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)  # every collection must have one
    index = client.prepare_index_params()
    index.add_index("vector", **_FLAT)
    client.create_collection(name, schema=schema, index_params=index)


def create_collection(client: Any, location: MilvusLocation, dimension: int) -> None:
    """Create the collection of references, empty and without indexes: these are built faster at the end."""
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("view", DataType.VARCHAR, max_length=16)
    schema.add_field("country", DataType.VARCHAR, max_length=2)  # empty at sea
    schema.add_field(COARSE_FIELD, DataType.INT64)
    schema.add_field(FINE_FIELD, DataType.INT64)
    schema.add_field("lat", DataType.DOUBLE)
    schema.add_field("lon", DataType.DOUBLE)
    schema.add_field("reference", DataType.VARCHAR, max_length=_MOST_BYTES)
    with milvus_errors(location, f"a new collection {location.collection}"):
        client.create_collection(location.collection, schema=schema)


def finish_collection(client: Any, location: MilvusLocation) -> None:
    """Build the indexes, of the vectors by their number, and load the collection."""
    name = location.collection
    with milvus_errors(location, f"indexes over {name}"):
        client.flush(name)
        wanted = _FLAT if count_rows(client, location) <= FLAT_ROWS else _GRAPH
        existing = set(client.list_indexes(name))
        if "vector" in existing and index_type(client, location) != wanted["index_type"]:
            client.release_collection(name)
            client.drop_index(name, "vector")
            existing.discard("vector")
        for field in ("view", "country", COARSE_FIELD, FINE_FIELD):
            if field not in existing:
                index = client.prepare_index_params(field, index_name=field, index_type="INVERTED")
                client.create_index(name, index, sync=False)  # small, and a filter is right without it
        if "vector" not in existing:
            client.create_index(name, client.prepare_index_params("vector", index_name="vector", **wanted))
        client.load_collection(name)


def index_type(client: Any, location: MilvusLocation) -> str:
    """FLAT or HNSW."""
    with milvus_errors(location, f"the index of {location.collection}"):
        found = client.describe_index(location.collection, "vector")
    return str((found or {}).get("index_type", ""))


def count_rows(client: Any, location: MilvusLocation, expression: str = "") -> int:
    """Number of rows that an expression leaves. A collection must be loaded to be asked; an empty one counts 0."""
    name = location.collection
    with milvus_errors(location, f"the collection {name}"):
        if "vector" not in client.list_indexes(name):  # cannot be loaded yet
            return int(client.get_collection_stats(name)["row_count"])
        rows = client.query(name, filter=expression, output_fields=["count(*)"], consistency_level="Strong")
    return int(rows[0]["count(*)"])


def fetch_positions(
    client: Any, location: MilvusLocation, expression: str, most: int
) -> tuple[list[str], Floats, Floats]:
    """(ids, lats, lons) of the first rows by id that an expression leaves."""
    ids: list[str] = []
    places: list[tuple[float, float]] = []
    with milvus_errors(location, f"positions in {location.collection}"):
        rows = client.query_iterator(
            location.collection,
            filter=expression,
            batch_size=10_000,  # below MOST_ROWS, and 0.4 MB
            limit=most,
            output_fields=["id", "lat", "lon"],
        )
        while batch := rows.next():
            ids += [row["id"] for row in batch]
            places += [(row["lat"], row["lon"]) for row in batch]
        rows.close()
    table = np.array(places, dtype=np.float64).reshape(-1, 2)
    return ids, table[:, 0], table[:, 1]


def rows_of(references: Sequence[Reference], vectors: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Make Milvus' rows; vectors have shape (n, d)."""
    fine = cells_at(np.array([one.lat for one in references]), np.array([one.lon for one in references]), FINE)
    coarse = parents(fine, COARSE)  # of the cell and not of the point: their outlines differ a little
    return [
        {
            "id": one.id,
            "vector": vector,
            "view": one.view,
            "country": one.country or "",
            COARSE_FIELD: int(above),
            FINE_FIELD: int(cell),
            "lat": one.lat,
            "lon": one.lon,
            "reference": json.dumps(asdict(one), ensure_ascii=False),
        }
        for one, vector, cell, above in zip(references, vectors, fine, coarse, strict=True)
    ]


@cache
def _adapter() -> TypeAdapter[Reference]:
    return TypeAdapter(Reference)


def reference_of(text: str) -> Reference:
    """Read a reference back from its JSON; a server's answer is checked like any input."""
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise InputError("a reference", f"{text[:80]!r} in Milvus", "Upload the index again.") from error
