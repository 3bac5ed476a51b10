import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from geosleuth.agent.localization import Localization, published_schema

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "localization.schema.json"


def test_published_schema_is_that_of_the_code():
    command = "python -c 'from geosleuth.agent.localization import published_schema as s; print(s(), end=\"\")'"
    assert SCHEMA.read_text(encoding="utf-8") == published_schema(), f"{command} > {SCHEMA.name}"


def test_schema_promises_the_keys_of_the_answer():
    schema = json.loads(published_schema())
    promised = {"status", "point", "radius_km", "country", "city", "regions", "evidence", "candidates", "trace"}
    assert promised <= set(schema["required"])
    assert {"type": "null"} in schema["properties"]["point"]["anyOf"]
    assert schema["properties"]["status"]["enum"] == ["localized", "coarse", "not_locatable"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Localization.model_validate({"satus": "localized"})
