"""Make the fonts that geosleuth's PDF reports carry, from Debian's fonts-noto-core: python docs/make_report_fonts.py.

Hints for screens, names of glyphs and, of the Latin font, what is neither Latin nor Greek nor Cyrillic are left out, so
that 25 scripts take 3.1 MB. All features that join and order letters stay. Noto is under the SIL Open Font Licence
1.1, which agent/report/data/OFL.txt repeats.
"""

from pathlib import Path

from fontTools import subset

NOTO = Path("/usr/share/fonts/truetype/noto")
OUT = Path(__file__).resolve().parents[1] / "agent" / "report" / "data"
SCRIPTS = (
    "Arabic Armenian Bengali Devanagari Ethiopic Georgian Gujarati Gurmukhi Hebrew Kannada Khmer Lao Malayalam Myanmar",
    "Oriya Sinhala Symbols Tamil Telugu Thaana Thai Tifinagh",
)
SERIF_SCRIPTS = ("Tibetan",)  # Noto has no sans of it
LATIN = ((0x0, 0x52F), (0x1C80, 0x1C8F), (0x1D00, 0x2C7F), (0xA640, 0xA69F), (0xA720, 0xA7FF), (0xFB00, 0xFB06))


LATIN_FONTS = ("NotoSans-Regular", "NotoSans-Bold")
JOINERS = (0x200C, 0x200D)  # belong to the scripts that join: a run of Sinhala must not be cut where one stands


def make(name: str, kept: tuple[tuple[int, int], ...] = ((0x0, 0x10FFFF),)) -> None:
    """Write one font with the characters of some ranges."""
    options = subset.Options(hinting=False, glyph_names=False, notdef_outline=True, recalc_timestamp=False)
    options.layout_features = ["*"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # with copyright and licence
    font = subset.load_font(NOTO / f"{name}.ttf", options)
    subsetter = subset.Subsetter(options)
    in_range = [c for c in font.getBestCmap() if any(low <= c <= high for low, high in kept)]
    subsetter.populate(unicodes=[c for c in in_range if name not in LATIN_FONTS or c not in JOINERS])
    subsetter.subset(font)
    subset.save_font(font, OUT / f"{name}.ttf", options)


if __name__ == "__main__":
    for latin in LATIN_FONTS:
        make(latin, LATIN)
    for script in " ".join(SCRIPTS).split():
        make(f"NotoSans{script}-Regular")
    for script in SERIF_SCRIPTS:
        make(f"NotoSerif{script}-Regular")
