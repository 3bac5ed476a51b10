"""The table of invented styles: 32 countries of all inhabited continents. See `style` for what is a fact."""

from __future__ import annotations

from functools import cache

from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import Colour

YELLOW: Colour = (226, 186, 60)
TILE: Colour = (176, 92, 64)  # fired clay
SLATE: Colour = (92, 98, 108)
TIN: Colour = (176, 184, 190)
RUST: Colour = (142, 88, 62)
BITUMEN: Colour = (122, 120, 116)
WHITE: Colour = (236, 234, 228)
SAND: Colour = (206, 184, 148)
BRICK: Colour = (158, 86, 68)
GREY: Colour = (158, 156, 152)
OCHRE: Colour = (212, 166, 96)
PINK: Colour = (216, 156, 146)
BLUE: Colour = (128, 158, 190)
MINT: Colour = (154, 190, 166)
CREAM: Colour = (232, 216, 182)

STYLES: tuple[Style, ...] = (
    # Americas
    Style(country="US", language="en", plan="grid", block_m=(92, 130), street_m=(9, 15),
        walls=(GREY, BRICK, CREAM, WHITE), roofs=(BITUMEN, (112, 84, 72), (88, 86, 88), SLATE), pitched=0.55,
        closed=0.15, storeys=(1, 3), towers=0.12, green=0.6, tree=(70, 104, 56), grass=(112, 138, 78),
        soil=(150, 134, 108), paving=(186, 184, 180), centre_line=YELLOW, wires=True,
        flag=((52, 60, 120), (240, 240, 240))),
    Style(country="MX", language="es", plan="grid", block_m=(84, 96), street_m=(8, 14),
        walls=(OCHRE, PINK, (84, 140, 168), CREAM), roofs=((206, 150, 110), (196, 120, 104), (170, 160, 150), BITUMEN),
        pitched=0.1, closed=0.65, storeys=(1, 3), towers=0.06, green=0.3, tree=(84, 108, 58), grass=(138, 140, 84),
        soil=(178, 146, 106), paving=(190, 178, 164), centre_line=YELLOW, wires=True, palms=0.25),
    Style(country="BR", language="pt-BR", plan="organic", block_m=(78, 92), street_m=(8, 13),
        walls=(WHITE, OCHRE, MINT, CREAM), roofs=((188, 108, 72), TILE, (164, 160, 152), RUST), pitched=0.5, closed=0.4,
        storeys=(1, 4), towers=0.16, green=0.6, tree=(48, 98, 48), grass=(94, 136, 66), soil=(168, 104, 72),
        paving=(176, 170, 160), centre_line=YELLOW, palms=0.4, flag=((40, 140, 70), (236, 200, 50))),
    Style(country="AR", language="es", plan="grid", block_m=(104, 104), street_m=(9, 14),
        walls=(CREAM, GREY, WHITE), roofs=((148, 140, 130), BITUMEN, TILE), pitched=0.2, closed=0.75, storeys=(1, 5),
        towers=0.12, green=0.5, tree=(80, 110, 60), grass=(120, 142, 80), soil=(156, 136, 108), paving=(184, 178, 168),
        flag=((120, 176, 220), (240, 240, 240))),
    Style(country="PE", language="es", plan="grid", block_m=(70, 82), street_m=(8, 13),
        walls=(SAND, BRICK, (196, 176, 120)), roofs=((188, 168, 138), (168, 130, 106), (176, 160, 130)), pitched=0.05,
        closed=0.8, storeys=(1, 3), towers=0.04, green=0.12, tree=(92, 106, 62), grass=(142, 136, 88),
        soil=(196, 172, 134), paving=(186, 172, 150), centre_line=YELLOW, wires=True),
    # Europe
    Style(country="GB", language="en", plan="organic", block_m=(74, 110), street_m=(7, 11),
        walls=(BRICK, (170, 120, 92), CREAM), roofs=((110, 84, 76), SLATE, (84, 80, 84)), pitched=0.92, closed=0.35,
        storeys=(2, 3), towers=0.05, green=0.55, tree=(72, 102, 56), grass=(104, 142, 72), soil=(122, 104, 82),
        paving=(164, 162, 158), window_share=0.4),
    Style(country="FR", language="fr", plan="radial", block_m=(80, 96), street_m=(8, 15),
        walls=(CREAM, (222, 208, 184), (206, 196, 180)), roofs=((108, 116, 128), (124, 130, 138), (96, 104, 118)),
        pitched=0.75, closed=0.75, storeys=(4, 6), towers=0.04, green=0.4, tree=(78, 112, 60), grass=(116, 146, 80),
        soil=(170, 152, 122), paving=(190, 184, 172), lamp="lantern",
        flag=((40, 62, 140), (240, 240, 240), (200, 44, 50))),
    Style(country="ES", language="es", plan="grid", block_m=(112, 112), street_m=(10, 18),
        walls=(OCHRE, CREAM, (204, 152, 118)), roofs=((186, 128, 94), (196, 142, 104), TILE), pitched=0.45, closed=0.85,
        storeys=(3, 6), towers=0.05, green=0.3, tree=(88, 112, 62), grass=(134, 142, 86), soil=(190, 160, 118),
        paving=(196, 184, 166), window_share=0.35),
    Style(country="IT", language="it", plan="organic", block_m=(66, 78), street_m=(6, 11),
        walls=(OCHRE, (206, 136, 104), CREAM, PINK), roofs=(TILE, (168, 98, 74), (186, 116, 82), (160, 90, 70)),
        pitched=0.85, closed=0.8, storeys=(3, 5), towers=0.02, green=0.3, tree=(70, 100, 54), grass=(120, 140, 76),
        soil=(176, 148, 112), paving=(178, 168, 152), lamp="lantern", window_share=0.35),
    Style(country="DE", language="de", plan="organic", block_m=(86, 104), street_m=(8, 13),
        walls=(WHITE, CREAM, (200, 190, 160), (190, 110, 80)),
        roofs=((164, 84, 64), (140, 72, 60), SLATE, (150, 92, 70)), pitched=0.85, closed=0.5, storeys=(2, 5),
        towers=0.06, green=0.6, tree=(64, 102, 52), grass=(106, 146, 72), soil=(146, 126, 98), paving=(172, 170, 166),
        flag=((30, 30, 30), (200, 40, 40), (230, 190, 50))),
    Style(country="NL", language="nl", plan="grid", block_m=(62, 96), street_m=(7, 11),
        walls=(BRICK, (132, 74, 60), (184, 120, 92)), roofs=((166, 90, 62), (96, 92, 92), (176, 104, 72)), pitched=0.85,
        closed=0.7, storeys=(2, 4), towers=0.05, green=0.55, tree=(78, 116, 58), grass=(110, 154, 74),
        soil=(134, 118, 94), paving=(166, 122, 104), asphalt=(118, 92, 84)),
    Style(country="SE", language="sv", plan="organic", block_m=(96, 112), street_m=(8, 12),
        walls=((156, 64, 52), OCHRE, WHITE, (204, 190, 120)),
        roofs=((72, 66, 64), (96, 88, 84), (124, 66, 56), (60, 60, 64)), pitched=0.8, closed=0.25, storeys=(1, 4),
        towers=0.08, green=0.85, tree=(52, 86, 56), grass=(104, 138, 76), soil=(132, 116, 96), paving=(166, 166, 166),
        flag=((40, 92, 160), (236, 200, 50))),
    Style(country="PL", language="pl", plan="radial", block_m=(92, 100), street_m=(8, 14),
        walls=(GREY, CREAM, (186, 206, 180), PINK), roofs=(BITUMEN, (150, 82, 66), (120, 126, 120), (140, 96, 84)),
        pitched=0.5, closed=0.35, storeys=(2, 5), towers=0.3, green=0.65, tree=(72, 112, 56), grass=(114, 148, 78),
        soil=(144, 128, 100), paving=(174, 172, 168)),
    Style(country="UA", language="uk", plan="grid", block_m=(110, 120), street_m=(9, 15),
        walls=(GREY, (206, 200, 176), (184, 168, 150)), roofs=((140, 136, 132), (126, 150, 150), BITUMEN), pitched=0.35,
        closed=0.2, storeys=(2, 5), towers=0.42, green=0.75, tree=(66, 108, 54), grass=(116, 142, 76),
        soil=(122, 106, 84), paving=(168, 166, 164), flag=((44, 104, 190), (240, 206, 60))),
    Style(country="GR", language="el", plan="organic", block_m=(64, 76), street_m=(7, 11),
        walls=(WHITE, (226, 222, 210), (222, 204, 176)), roofs=((226, 222, 214), (210, 204, 192), (192, 120, 88)),
        pitched=0.15, closed=0.7, storeys=(2, 5), towers=0.02, green=0.25, tree=(102, 118, 76), grass=(150, 148, 94),
        soil=(198, 176, 134), paving=(200, 194, 180), wires=True, flag=((60, 110, 190), (240, 240, 240))),
    # Western Asia and the Caucasus
    Style(country="TR", language="tr", plan="organic", block_m=(72, 86), street_m=(7, 13),
        walls=(PINK, CREAM, MINT, OCHRE), roofs=((190, 96, 66), (176, 92, 66), (184, 108, 76), TILE), pitched=0.75,
        closed=0.3, storeys=(3, 6), towers=0.15, green=0.3, tree=(82, 108, 60), grass=(130, 138, 82),
        soil=(170, 146, 110), paving=(180, 172, 162), flag=((206, 36, 44), (240, 240, 240))),
    Style(country="GE", language="ka", plan="organic", block_m=(78, 92), street_m=(7, 13),
        walls=(CREAM, (196, 150, 120), (168, 180, 178)), roofs=((150, 74, 60), (166, 110, 92), (128, 152, 148)),
        pitched=0.7, closed=0.4, storeys=(1, 4), towers=0.1, green=0.5, tree=(72, 106, 58), grass=(114, 138, 74),
        soil=(154, 132, 100), paving=(172, 164, 154), wires=True),
    Style(country="AM", language="hy", plan="radial", block_m=(96, 104), street_m=(9, 15),
        walls=((206, 150, 128), (190, 132, 112), (176, 146, 130)),
        roofs=((150, 116, 104), (168, 128, 112), (140, 130, 124)), pitched=0.4, closed=0.6, storeys=(3, 6), towers=0.12,
        green=0.4, tree=(86, 112, 60), grass=(128, 138, 80), soil=(180, 154, 122), paving=(190, 168, 152)),
    Style(country="IL", language="he", plan="radial", block_m=(84, 92), street_m=(8, 14),
        walls=((232, 224, 204), (222, 210, 182), WHITE), roofs=((222, 218, 208), (214, 204, 184), (196, 130, 98)),
        pitched=0.2, closed=0.15, storeys=(2, 5), towers=0.18, green=0.4, tree=(96, 116, 68), grass=(134, 144, 82),
        soil=(200, 176, 132), paving=(204, 196, 178), palms=0.35),
    # Africa
    Style(country="EG", language="ar", plan="grid", block_m=(62, 78), street_m=(6, 14),
        walls=(SAND, (190, 150, 118), (214, 196, 160)), roofs=((190, 164, 130), (168, 134, 108), (202, 184, 150)),
        pitched=0.02, closed=0.85, storeys=(3, 8), towers=0.06, green=0.1, tree=(88, 112, 62), grass=(136, 142, 82),
        soil=(208, 182, 136), paving=(186, 170, 144), palms=0.6),
    Style(country="MA", language="ar", plan="organic", block_m=(58, 70), street_m=(5, 12),
        walls=((202, 116, 88), (212, 140, 108), (224, 190, 156)),
        roofs=((196, 118, 92), (206, 138, 108), (220, 186, 152)), pitched=0.03, closed=0.85, storeys=(2, 4),
        towers=0.02, green=0.15, tree=(92, 112, 66), grass=(142, 140, 86), soil=(202, 152, 112), paving=(200, 164, 136),
        lamp="lantern", palms=0.55),
    Style(country="ET", language="am", plan="organic", block_m=(84, 96), street_m=(8, 16),
        walls=((176, 190, 176), SAND, (190, 160, 110)), roofs=(TIN, (150, 156, 160), RUST), pitched=0.65, closed=0.15,
        storeys=(1, 3), towers=0.08, green=0.4, tree=(84, 112, 56), grass=(122, 136, 70), soil=(162, 112, 78),
        paving=(164, 148, 130), flag=((40, 130, 70), (240, 200, 50), (200, 40, 40))),
    Style(country="TZ", language="sw", plan="organic", block_m=(80, 92), street_m=(7, 12),
        walls=(CREAM, BLUE, (206, 188, 150)), roofs=(TIN, (112, 134, 160), (160, 78, 62)), pitched=0.8, closed=0.08,
        storeys=(1, 2), towers=0.04, green=0.45, tree=(66, 108, 50), grass=(112, 138, 64), soil=(186, 118, 80),
        paving=(184, 152, 124), wires=True, palms=0.4),
    Style(country="ZA", language="en", plan="grid", block_m=(88, 120), street_m=(8, 14),
        walls=(CREAM, (190, 130, 96), WHITE), roofs=((158, 84, 62), (120, 124, 128), (178, 104, 76)), pitched=0.75,
        closed=0.12, storeys=(1, 2), towers=0.12, green=0.45, tree=(90, 108, 62), grass=(150, 146, 88),
        soil=(184, 134, 94), paving=(178, 168, 156)),
    Style(country="SN", language="fr", plan="grid", block_m=(66, 80), street_m=(7, 14),
        walls=(SAND, (220, 206, 176), (168, 178, 184)), roofs=((206, 188, 154), (190, 178, 158), (160, 166, 170)),
        pitched=0.1, closed=0.6, storeys=(1, 3), towers=0.04, green=0.2, tree=(84, 110, 58), grass=(146, 142, 84),
        soil=(216, 178, 128), paving=(204, 180, 144), wires=True, palms=0.4),
    # Asia
    Style(country="IN", language="hi", plan="organic", block_m=(60, 74), street_m=(6, 13),
        walls=(PINK, (232, 204, 130), MINT, BLUE),
        roofs=((186, 160, 146), (190, 174, 138), (156, 170, 158), (142, 156, 170)), pitched=0.1, closed=0.55,
        storeys=(1, 4), towers=0.06, green=0.35, tree=(72, 106, 52), grass=(122, 138, 70), soil=(178, 138, 98),
        paving=(176, 162, 144), wires=True, flag=((236, 140, 50), (240, 240, 240), (40, 130, 70))),
    Style(country="BD", language="bn", plan="organic", block_m=(54, 66), street_m=(5, 11),
        walls=((196, 186, 160), MINT, (176, 110, 90)), roofs=((164, 156, 144), TIN, (140, 120, 108)), pitched=0.3,
        closed=0.6, storeys=(2, 6), towers=0.1, green=0.5, tree=(52, 102, 50), grass=(90, 134, 62), soil=(150, 122, 90),
        paving=(166, 154, 140), wires=True, palms=0.3),
    Style(country="TH", language="th", plan="grid", block_m=(72, 120), street_m=(7, 15),
        walls=(WHITE, (236, 206, 150), (190, 206, 210)), roofs=((196, 96, 58), (78, 116, 104), (112, 118, 160)),
        pitched=0.7, closed=0.35, storeys=(1, 4), towers=0.14, green=0.5, tree=(56, 106, 50), grass=(98, 144, 66),
        soil=(176, 146, 112), paving=(182, 176, 168), wires=True, palms=0.45),
    Style(country="ID", language="id", plan="organic", block_m=(62, 84), street_m=(6, 12),
        walls=(WHITE, MINT, (222, 190, 130)), roofs=((172, 84, 54), (160, 96, 66), (134, 70, 52)), pitched=0.92,
        closed=0.2, storeys=(1, 2), towers=0.08, green=0.6, tree=(46, 98, 46), grass=(88, 138, 60), soil=(158, 104, 76),
        paving=(170, 160, 150), wires=True, palms=0.5),
    Style(country="VN", language="vi", plan="grid", block_m=(54, 88), street_m=(6, 13),
        walls=((236, 220, 150), BLUE, MINT, PINK),
        roofs=((190, 80, 58), (130, 150, 176), (150, 166, 150), (166, 120, 116)), pitched=0.45, closed=0.8,
        storeys=(2, 5), towers=0.05, green=0.4, tree=(50, 106, 50), grass=(96, 144, 64), soil=(150, 120, 92),
        paving=(172, 162, 150), wires=True, palms=0.3, flag=((206, 40, 40), (236, 200, 60))),
    # Oceania
    Style(country="AU", language="en", plan="organic", block_m=(90, 124), street_m=(9, 14),
        walls=(BRICK, CREAM, (206, 196, 184)), roofs=((168, 82, 60), (112, 116, 120), (186, 190, 190)), pitched=0.9,
        closed=0.06, storeys=(1, 2), towers=0.08, green=0.55, tree=(98, 116, 72), grass=(152, 150, 90),
        soil=(188, 138, 98), paving=(184, 178, 168)),
    Style(country="NZ", language="en", plan="radial", block_m=(88, 100), street_m=(9, 13),
        walls=(WHITE, (184, 200, 204), (220, 208, 170)), roofs=((74, 104, 84), (150, 62, 54), (90, 96, 108)),
        pitched=0.92, closed=0.05, storeys=(1, 2), towers=0.04, green=0.8, tree=(54, 98, 54), grass=(96, 152, 70),
        soil=(140, 122, 96), paving=(176, 174, 170), wires=True),
)  # fmt: skip


@cache
def style_of(country: str) -> Style:
    """Return the style of a country.

    Raises:
        KeyError: It has none.
    """
    return {style.country: style for style in STYLES}[country]
