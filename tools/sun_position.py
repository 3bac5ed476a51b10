"""Where the sun stands, for many places at once."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from geosleuth.indexes.geodesy import Floats


def sun_at(instant: datetime, lats: Floats, lons: Floats) -> tuple[Floats, Floats]:
    """Return azimuth and elevation of the sun in degrees, each of shape (n,), as seen from level ground.

    Azimuth is clockwise from true north, in [0, 360); elevation includes refraction. What hangs on the time alone is
    astral's (equations of NOAA's solar calculator), what hangs on the place is the spherical triangle.

    Args:
        instant: With its zone.
        lats: Degrees, (n,).
        lons: Degrees, (n,).
    """
    from astral.julian import julianday, julianday_to_juliancentury
    from astral.sun import eq_of_time, sun_declination

    utc = instant.astimezone(UTC)
    century = julianday_to_juliancentury(julianday(utc))
    declination = np.radians(sun_declination(century))
    minutes = utc.hour * 60.0 + utc.minute + utc.second / 60.0 + eq_of_time(century)
    hour_angle = np.radians((minutes + 4.0 * np.asarray(lons, dtype=np.float64)) / 4.0 - 180.0)
    lat = np.radians(np.asarray(lats, dtype=np.float64))
    # The direction of the sun in the frame east, north, up of each place.
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.cos(lat) * np.sin(declination) - np.sin(lat) * np.cos(declination) * np.cos(hour_angle)
    up = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour_angle)
    true = np.degrees(np.arcsin(np.clip(up, -1.0, 1.0)))
    return np.asarray(np.degrees(np.arctan2(east, north)) % 360.0), true + refraction(true)


def refraction(elevation_deg: Floats) -> Floats:
    """Degrees by which the air lifts the sun (NOAA solar calculator, as astral has it)."""
    elevation = np.asarray(elevation_deg, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # each formula is used in its own range alone
        te = np.tan(np.radians(elevation))
        high = 58.1 / te - 0.07 / te**3 + 0.000086 / te**5
        low = 1735.0 + elevation * (-518.2 + elevation * (103.4 + elevation * (-12.79 + elevation * 0.711)))
        below = -20.774 / te
    seconds = np.select([elevation >= 85.0, elevation > 5.0, elevation > -0.575], [0.0 * elevation, high, low], below)
    return np.asarray(seconds / 3600.0)
