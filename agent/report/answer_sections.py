"""The sections that answer: where, on the map, in which country, and what the method cannot tell."""

from __future__ import annotations

from geosleuth.agent.export import CAVEAT, place_name
from geosleuth.agent.figures import area, coordinates, km, percent
from geosleuth.agent.localization import Localization
from geosleuth.agent.report.blocks import Bullets, Fact, Facts, Grid, Map, Paragraph, Section, shown
from geosleuth.agent.report.map_window import beyond_the_map

_STATUS = {
    "localized": "localized",
    "coarse": "coarse: a direction to look in, not a place",
    "not_locatable": "not locatable: nothing tells a place",
}
_NOWHERE = "No place can be told from this photo"
LIMITS = (
    "The probabilities were calibrated on photos whose places are known; one unlike those can be located wrongly, and "
    "yet with a high probability.\n"
    "Signs travel, chains of shops look alike, photos are mirrored, cropped, staged or generated: check each claim "
    "against the photo itself.\n"
    "Text is read by machine: letters can be confused, above all in scripts that look alike. The numbered boxes show "
    "what was read where.\n"
    "Metadata of a file (position, time, camera) can be edited by anybody who had it.\n"
    "Findings of one source are counted about once; dependencies that nobody thought of can still make an answer too "
    "sure.\n"
    "A region of 90 % is meant to miss the place once in ten times. Its edge is no border.\n"
    "A reference that looks alike shows that two pictures agree, not when, nor that one photographer stood there.\n"
    "Words of a model, where they are quoted, are its words and no evidence.\n"
    "The outlines of countries on the map are simplified; they take no side in disputes over borders."
).splitlines()


def answer_section(answer: Localization) -> Section:
    """The card: the place, how sure, and that it is a hypothesis."""
    rows = [Fact("Status", _STATUS[answer.status]), Fact("Why", shown(answer.reason))]
    if answer.country is not None and answer.point is not None:
        rows.append(Fact("Country", f"{shown(answer.country.name)}, {percent(answer.country.probability)}"))
        if answer.city is not None:
            city = f"{shown(answer.city.name)}, {percent(answer.city.probability)} of being within 25 km"
            rows.append(Fact("City", city))
        rows.append(Fact("Point", f"{coordinates(answer.point, answer.radius_km)} (WGS 84)"))
        if answer.radius_km is not None:
            rows.append(Fact("Radius", f"half of the belief lies within {km(answer.radius_km)}"))
    regions = [feature.properties for feature in answer.regions.features if answer.status != "not_locatable"]
    rows += [Fact(f"{one.share:.0%} region", area(one.area_km2)) for one in regions]
    if answer.locatability is not None:
        score = answer.locatability
        reason = f": {shown(score.reason)}" if score.reason else ""
        rows.append(Fact("Locatability", f"{score.score:.2f} of 1 ({shown(score.backend)}){reason}"))
    if answer.precision_cap_km is not None:
        words = f"on purpose to {answer.precision_cap_km:g} km; what would be finer is withheld"
        rows.append(Fact("Coarsened", words))
    nowhere = "No place can be told from these photos" if len(answer.photos) > 1 else _NOWHERE
    title = shown(place_name(answer)) if answer.point else nowhere
    return Section("Answer", (Paragraph(title, "lead"), Facts(tuple(rows)), Paragraph(CAVEAT, "warning")))


def map_section(answer: Localization) -> Section:
    """The map, and in words what it shows."""
    place = shown(place_name(answer))
    if answer.point is None:
        caption = "A map of the world: there is no place to mark."
    else:
        caption = (
            "Regions that hold 50 % (amber, broken line) and 90 % (blue, whole line) of the belief; the answer's point "
            "(disc); compared references (squares, filled where verification accepted them)."
        )
    beyond = beyond_the_map(answer)
    caption = f"{caption} {beyond}" if beyond else caption
    return Section("Map", (Map(f"Map: {place}. {caption}", caption),))


def countries_section(answer: Localization) -> Section:
    """The ranked countries."""
    rows = [(str(i), shown(one.name), one.code, percent(one.probability)) for i, one in enumerate(answer.countries, 1)]
    grid = Grid(("Rank", "Country", "ISO 3166-1", "Probability"), tuple(rows), (0.1, 0.5, 0.2, 0.2), numeric=(0, 3))
    bits = f"The belief's entropy is {answer.entropy_bits:.1f} bits: the lower, the surer."
    return Section("Countries", (grid, Paragraph(bits, "note")))


def limits_section(answer: Localization) -> Section:
    """What the method cannot tell, and what was noted while it ran."""
    blocks: list[Bullets | Paragraph] = [Bullets(tuple(LIMITS))]
    if answer.notes:
        blocks += [Paragraph("Noted in this case:"), Bullets(tuple(shown(note) for note in answer.notes))]
    return Section("Limits of the method", tuple(blocks))
