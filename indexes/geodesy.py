"""Positions and distances on the Earth. Coordinates are (lat, lon) in WGS 84 degrees everywhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088  # mean radius R1 of WGS 84 (IUGG); spherical distances are then right to 0.5 %

Floats = NDArray[np.float64]


class LatLon(NamedTuple):
    """A position in WGS 84 degrees. shapely's (lon, lat) order is made by `lonlat` only."""

    lat: float
    lon: float

    @property
    def lonlat(self) -> tuple[float, float]:
        """The same position in the order that shapely and GeoJSON want."""
        return (self.lon, self.lat)


def wrap_lon(lon: ArrayLike) -> Floats:
    """Bring longitudes in degrees into [-180, 180)."""
    return (np.asarray(lon, dtype=np.float64) + 180.0) % 360.0 - 180.0


def unit_vectors(lat: ArrayLike, lon: ArrayLike) -> Floats:
    """Turn positions into unit vectors, shape (..., 3); free of date line and poles."""
    phi = np.radians(np.asarray(lat, dtype=np.float64))
    lam = np.radians(np.asarray(lon, dtype=np.float64))
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def from_unit_vectors(vectors: ArrayLike) -> tuple[Floats, Floats]:
    """Turn vectors of shape (..., 3), of any length above 0, into (lat, lon) in degrees."""
    v = np.asarray(vectors, dtype=np.float64)
    lat = np.degrees(np.arctan2(v[..., 2], np.hypot(v[..., 0], v[..., 1])))
    return lat, np.degrees(np.arctan2(v[..., 1], v[..., 0]))


def distance_km(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> Floats:
    """Great-circle distance in km (haversine), broadcast as numpy does; within 0.5 % of the geodesic."""
    phi1, phi2 = np.radians(np.asarray(lat1, dtype=np.float64)), np.radians(np.asarray(lat2, dtype=np.float64))
    lam = np.radians(np.asarray(lon2, dtype=np.float64) - np.asarray(lon1, dtype=np.float64))
    h = np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(lam / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


def geodesic_km(a: LatLon, b: LatLon) -> float:
    """Distance in km on the WGS 84 ellipsoid, for scores and checks of a few metres."""
    from pyproj import Geod

    return float(Geod(ellps="WGS84").inv(a.lon, a.lat, b.lon, b.lat)[2]) / 1000.0


def chord_of_km(km: ArrayLike) -> Floats:
    """Length of the chord through the unit sphere that spans `km` on the ground (for k-d trees)."""
    angle = np.minimum(np.asarray(km, dtype=np.float64) / EARTH_RADIUS_KM, np.pi)
    return np.asarray(2.0 * np.sin(angle / 2.0))
