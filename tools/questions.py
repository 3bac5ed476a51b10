"""The questions that a person may answer about a photo: what people see at a glance and no embedded tool does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer. Who cannot tell leaves the question unanswered."""

    key: str
    text: str  # as offered: "left"
    says: str  # completes "The investigator sees that …"


@dataclass(frozen=True, slots=True)
class Question:
    """One question, with its answers and the table behind it."""

    key: str
    text: str
    options: tuple[Option, ...]
    source: str
    error: float  # share of answers that are wrong, see `_SURE`
    why_wrong: str  # what people get wrong here

    @property
    def source_of_error(self) -> str:
        """Questions that share one are wrong together: a foreign car has all its plates from abroad."""
        return "plate" if self.key.startswith("plate_") else self.key

    def option(self, key: str) -> Option | None:
        """Find an answer by its key."""
        return next((option for option in self.options if option.key == key), None)


# Shares of wrong answers are policy: nobody has counted how often investigators misjudge a photo. 3 % where one look
# settles it; 5 % where colours fade or a detail is easily taken for another; 10 % where a shape or a material is
# judged by eye, or the table itself is a judgement.
_SURE, _FAIR, _UNSURE = 0.03, 0.05, 0.10


def _question(
    key: str, text: str, options: Mapping[str, tuple[str, str]], source: str, error: float, why_wrong: str
) -> Question:
    made = tuple(Option(name, shown, says) for name, (shown, says) in options.items())
    return Question(key, text, made, source, error, why_wrong)


_COLOURS = ("white", "yellow", "black", "blue", "red", "green")


def _plates(end: str) -> dict[str, tuple[str, str]]:
    return {colour: (colour, f"private cars have {colour} plates at the {end}") for colour in _COLOURS}


_SCRIPTS = {
    "Latn": "Latin", "Cyrl": "Cyrillic", "Grek": "Greek", "Arab": "Arabic", "Hebr": "Hebrew", "Hani": "Chinese",
    "Jpan": "Japanese (with kana)", "Hang": "Korean", "Thai": "Thai", "Deva": "Devanagari", "Beng": "Bengali",
    "Guru": "Gurmukhi", "Gujr": "Gujarati", "Orya": "Odia", "Taml": "Tamil", "Telu": "Telugu", "Knda": "Kannada",
    "Mlym": "Malayalam", "Sinh": "Sinhala", "Mymr": "Burmese", "Khmr": "Khmer", "Laoo": "Lao", "Tibt": "Tibetan",
    "Geor": "Georgian", "Armn": "Armenian", "Ethi": "Ethiopic", "Thaa": "Thaana", "Tfng": "Tifinagh",
}  # fmt: skip

_ALL = (
    _question(
        "driving_side",
        "Which side do cars keep to?",
        {
            "left": ("left", "cars keep to the left"),
            "right": ("right", "cars keep to the right"),
        },
        "country-coder (OpenStreetMap), driving side",
        _SURE,
        "one-way streets, cars parked against the traffic, mirrored pictures",
    ),
    _question(
        "midday_sun",
        "Where does the sun stand at midday? Satellite dishes look the same way.",
        {
            "south": ("in the south", "the sun at midday, or the satellite dishes, are in the south"),
            "north": ("in the north", "the sun at midday, or the satellite dishes, are in the north"),
        },
        "the sun's declination through the year; near the equator both occur",
        _FAIR,
        "a north that was guessed, a midday that was not",
    ),
    _question(
        "script",
        "What letters is most of the writing in, even if nobody can read it?",
        {key: (name, f"most writing is in {name} letters") for key, name in _SCRIPTS.items()},
        "CLDR territory-language data",
        _FAIR,
        "foreign shop names, scripts that look alike",
    ),
    _question(
        "warning_sign",
        "What do signs that warn of a bend or of children look like?",
        {
            "triangle_white": ("a white triangle with a red rim", "warning signs are white triangles with a red rim"),
            "triangle_yellow": ("a yellow triangle", "warning signs are yellow triangles"),
            "diamond": ("a yellow square on its corner", "warning signs are yellow squares on their corners"),
        },
        "Vienna Convention on Road Signs and Signals; Wikipedia, Warning sign",
        _SURE,
        "signs of road works, which are yellow or orange nearly everywhere",
    ),
    _question(
        "centre_line",
        "What colour is the line between the two directions of traffic?",
        {
            "white": ("white", "the line between the two directions is white"),
            "yellow": ("yellow", "the line between the two directions is yellow"),
        },
        "StreetComplete country metadata (CC0); MUTCD; Vienna Convention on Road Signs and Signals",
        _FAIR,
        "evening light on white paint, lines of road works",
    ),
    _question(
        "edge_line",
        "What colour is the line along the outer edge of a country road?",
        {
            "white": ("white", "the line along the outer edge of the road is white"),
            "yellow": ("yellow", "the line along the outer edge of the road is yellow"),
        },
        "StreetComplete country metadata (CC0)",
        _FAIR,
        "yellow lines that forbid parking, the inner edge of a motorway",
    ),
    _question(
        "plate_front",
        "What colour are the number plates at the front of private cars?",
        _plates("front"),
        "Wikipedia, Vehicle registration plate, and its pages on countries",
        _FAIR,
        "taxis, foreign cars, dirt and dusk",
    ),
    _question(
        "plate_rear",
        "What colour are the number plates at the rear of private cars?",
        _plates("rear"),
        "Wikipedia, Vehicle registration plate, and its pages on countries",
        _FAIR,
        "taxis, foreign cars, dirt and dusk",
    ),
    _question(
        "plate_strip",
        "Do number plates have a blue strip?",
        {
            "left": ("at the left end", "number plates have a blue strip at the left end"),
            "both": ("at both ends", "number plates have a blue strip at both ends"),
            "top": ("along the top", "number plates have a blue bar along the top"),
            "none": ("none", "number plates have no blue strip"),
        },
        "Regulation (EC) 2411/98; Wikipedia, European vehicle registration plate",
        _FAIR,
        "a strip too small to be seen, tourists' and lorries' plates",
    ),
    _question(
        "plate_shape",
        "What shape are the number plates of cars?",
        {
            "long": ("long, about 5 : 1", "number plates are long, about 5 : 1"),
            "middle": ("in between, about 3 : 1", "number plates are about 3 : 1"),
            "short": ("short, about 2 : 1", "number plates are short, about 2 : 1"),
        },
        "Wikipedia, Vehicle registration plate (sizes)",
        _UNSURE,
        "foreshortening, imported cars with small plates",
    ),
    _question(
        "chevron",
        "What colours are the arrows that line a sharp bend?",
        {
            "black_on_yellow": ("black on yellow", "the arrows at a bend are black on yellow"),
            "yellow_on_black": ("yellow on black", "the arrows at a bend are yellow on black"),
            "red_white": ("red and white", "the arrows at a bend are red and white"),
            "white_on_black": ("white on black", "the arrows at a bend are white on black"),
            "white_on_blue": ("white on blue", "the arrows at a bend are white on blue"),
            "yellow_on_blue": ("yellow on blue", "the arrows at a bend are yellow on blue"),
        },
        "national catalogues of road signs, as named in the table",
        _FAIR,
        "arrows of road works and roundabouts, which have colours of their own",
    ),
    _question(
        "bollard",
        "What do the low posts along country roads look like?",
        {
            "black_band": ("white, black band or cap", "the posts along the road are white with a black band or cap"),
            "red_band": ("white, red band", "the posts along the road are white with a red band"),
            "plain": ("white, reflectors alone", "the posts along the road are white with reflectors alone"),
            "yellow": ("yellow", "the posts along the road are yellow"),
        },
        "players' guides to street photographs; a judgement, not a count",
        _UNSURE,
        "posts of towns and drives, snow poles",
    ),
    _question(
        "poles",
        "What are the poles of power and telephone lines made of?",
        {
            "wood": ("wood", "power and telephone poles are of wood"),
            "concrete": ("concrete", "power and telephone poles are of concrete"),
            "metal": ("metal", "power and telephone poles are of metal"),
        },
        "players' guides to street photographs; a judgement, not a count",
        _UNSURE,
        "old poles beside new ones, painted poles, lamp posts",
    ),
)

QUESTIONS: Mapping[str, Question] = MappingProxyType({question.key: question for question in _ALL})
