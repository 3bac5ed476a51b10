"""A small answer for the tests of what is shown and exported."""

from geosleuth.agent.localization import Localization

BOX = [[[175.0, -20.0], [180.0, -20.0], [180.0, -15.0], [175.0, -15.0], [175.0, -20.0]]]
FAR_BOX = [[[-180.0, -20.0], [-175.0, -20.0], [-175.0, -15.0], [-180.0, -15.0], [-180.0, -20.0]]]


def region(share: float, coordinates: list, kind: str = "MultiPolygon") -> dict:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"geometry": geometry, "properties": {"share": share, "area_km2": 1234.6}}


def evidence(claim: str, bits: float, likelihood: str = "over_regions") -> dict:
    return {
        "tool": "reading",
        "type": "reading.language",
        "claim": claim,
        "contribution_bits": bits,
        "likelihood": likelihood,
        "support": [{"source": "CLDR"}],
    }


def answer(**changes: object) -> Localization:
    """Fiji, whose regions cross the date line."""
    facts = {
        "status": "localized",
        "reason": "The country's probability is 0.91.",
        "point": {"lat": -17.8, "lon": 178.0},
        "radius_km": 42.0,
        "country": {"code": "FJ", "name": "Fiji", "probability": 0.91},
        "countries": [
            {"code": "FJ", "name": "Fiji", "probability": 0.91},
            {"code": "TO", "name": "Tonga", "probability": 0.05},
        ],
        "city": None,
        "regions": {"features": [region(0.5, BOX, "Polygon"), region(0.9, [BOX, FAR_BOX])]},
        "evidence": [evidence("A sign in Fijian", 4.25), evidence("A price in dollars", -0.5)],
        "trace": [{"step": 1, "tool": "read_text", "result": "2 lines", "seconds": 1.5, "by": "perceive"}],
        "entropy_bits": 3.0,
        "locatability": None,
        "photo": {"name": "fiji.jpg", "sha256": "0" * 64, "size": [640, 480]},
        "backends": {"reading": "embedded"},
        "seconds": 2.0,
        "version": "0.1.0",
    }
    return Localization.model_validate(facts | changes)


def compared(number: int, verdict: str | None, **changes: object) -> dict:
    verification = {
        "verdict": verdict,
        "reason": f"{10 * number} of 40 feature matches agree",
        "matcher": "by hand",
        "inliers": 10 * number,
        "matched": 40,
        "points": [[1.0, 2.0, 3.0, 4.0]],
    }
    facts = {
        "rank": number,
        "number": number,
        "reference_id": f"{number:016x}",
        "uri": f"walk/{number:03d}.jpg",
        "lat": -17.8 + number / 1000,
        "lon": 178.0,
        "view": "ground",
        "similarity": 0.9 - number / 100,
        "score": 1.0,
        "verification": verification if verdict else None,
        "distance_km": 0.1112 * number,
    }
    return facts | changes


def nowhere() -> Localization:
    return answer(
        status="not_locatable",
        reason="No clue was found.",
        point=None,
        radius_km=None,
        country=None,
        regions={"features": []},
        evidence=[evidence("No line of text", 0.0, "nothing")],
    )
