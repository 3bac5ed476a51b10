"""GeoReasoner: street views, reasons and places that its two adapters are taught with (arXiv 2406.18572)."""
