"""A PDF document that sets text of all scripts, line by line. Imported only where fpdf2 is known to be there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from fpdf import FPDF
from fpdf.bidi import auto_detect_base_direction
from fpdf.enums import TextDirection
from fpdf.line_break import Fragment
from fpdf.unicode_script import UnicodeScript, get_unicode_script

from geosleuth.agent.report.fonts import BOLD, REGULAR, Face, folder, shipped, suiting

MARGIN_MM = 17.0
_LEADING = 1.42  # of a line, over the size of its letters: room for the marks of Thai, Khmer and Urdu
_MM_PER_POINT = 25.4 / 72
_NEUTRAL = (UnicodeScript.COMMON, UnicodeScript.INHERITED, UnicodeScript.UNKNOWN)
_RIGHT_TO_LEFT = ("R", "AL")


class Document(FPDF):
    """Pages of A4 with a running head and page numbers; sizes in points, positions in mm."""

    def __init__(self, running_head: str, further: Sequence[Face]) -> None:
        super().__init__(format="A4")
        self.running_head = running_head
        self._widths: dict[tuple[str, str, float], float] = {}
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(False)  # lines are placed by hand
        self.c_margin = 0.0
        self.add_font("sans", "", folder() / REGULAR)
        self.add_font("sans", "B", folder() / BOLD)
        for face in further:
            self.add_font(face.family, "", face.path, collection_font_number=face.number)
        self._families = [face.family for face in further]
        self._fallback_order = self._families
        self.set_font("sans", "", 9.5)

    def header(self) -> None:
        """Say on every page which case and which photo it belongs to."""
        self._margin_line(MARGIN_MM - 8, self.running_head)
        self.set_xy(MARGIN_MM, MARGIN_MM)

    def footer(self) -> None:
        """Number the page."""
        self._margin_line(self.h - MARGIN_MM + 5, f"Page {self.page_no()} of {{nb}}")

    def _margin_line(self, y: float, text: str) -> None:
        style, size, colour = self.font_style, self.font_size_pt, self.text_color
        self.set_font("sans", "", 8)
        self.set_text_color(90)
        self.set_xy(MARGIN_MM, y)
        line = next(iter(self.wrap(text, self.epw)), "")
        self.line_of(line, MARGIN_MM, y, self.epw, base_of(text))
        self.set_font("sans", style, size)
        self.text_color = colour

    @property
    def line_mm(self) -> float:
        """Height of a line of the current size."""
        return float(self.font_size_pt) * _MM_PER_POINT * _LEADING

    @property
    def room_mm(self) -> float:
        """What is left of the page."""
        return float(self.h - MARGIN_MM - self.get_y())

    def keep(self, mm: float) -> None:
        """Begin a new page unless so much room is left."""
        if self.room_mm < mm:
            self.add_page()

    def wrap(self, text: str, width: float) -> list[str]:
        """Break a text into lines, in the order in which it is spoken: direction is each line's own matter."""
        lines, current = [], ""
        for word in text.split(" "):
            wider = f"{current} {word}" if current else word
            if self._width(wider) <= width:
                current = wider
                continue
            if current:
                lines.append(current)
            *whole, current = self._pieces(word, width)
            lines += whole
        return [*lines, current]

    def _pieces(self, word: str, width: float) -> list[str]:
        """Break what is longer than a line (Thai, Chinese, hashes, addresses), never before a mark."""
        if self._width(word) <= width:
            return [word]
        pieces, current = [], ""
        for cluster in _clusters(word):
            if current and self._width(current + cluster) > width:
                pieces.append(current)
                current = ""
            current += cluster
        return [*pieces, current]

    def _width(self, text: str) -> float:
        key = (text, self.font_style, self.font_size_pt)
        if key not in self._widths:
            self._use(text, TextDirection.LTR)
            self._widths[key] = float(self.get_string_width(text))
        return self._widths[key]

    def line_of(self, line: str, x: float, y: float, width: float, base: Any, *, right: bool = False) -> None:
        """Set one line.

        What readers would take from the letters' shapes alone can be out of order in scripts that reorder them, so the
        text itself is given beside them (ActualText). Not for lines with right-to-left letters: some readers turn those
        round once more.
        """
        self._use(line, base)
        self.set_xy(x, y)
        main = self._cmap(None)
        spoken = any(ord(char) not in main for char in line) and not any(_is_right_to_left(char) for char in line)
        if spoken:
            self._out(f"/Span <</ActualText <FEFF{line.encode('utf-16-be').hex().upper()}>>> BDC")
        self.cell(width, self.line_mm, line, align="R" if right or base == TextDirection.RTL else "L")
        if spoken:
            self._out("EMC")

    def _use(self, text: str, base: Any) -> None:
        """Choose direction and fallback fonts: Han characters look different in China, Japan and Korea."""
        self.set_text_shaping(True, direction=base)
        suited = [face.family for face in suiting(text) if face.family in self._families]
        own = [family for family in self._families if family not in suited]
        ours = {face.family for face in shipped()}  # come first: they are the same on every system
        self._fallback_order = [one for one in own if one in ours] + suited + [one for one in own if one not in ours]

    def _parse_chars(self, text: str, markdown: bool, **others: Any) -> Iterator[Fragment]:
        """Split text into runs of one font and script.

        fpdf2's own splits at every mark that scripts share (joiners, vowels of Arabic), which breaks their letters.
        """
        if markdown or (self.str_alias_nb_pages and self.str_alias_nb_pages in text):
            yield from super()._parse_chars(text, markdown, **others)
            return
        start = 0
        kinds = self._kinds(text)
        for end in range(1, len(text) + 1):
            if end == len(text) or kinds[end] != kinds[start]:
                state = self._get_current_graphics_state()
                if (family := kinds[start][0]) is not None:
                    state.font_family, state.font_style = family, ""
                    state.current_font = self.fonts[family]
                yield Fragment(list(text[start:end]), state, self.k)
                start = end

    def _kinds(self, text: str) -> list[tuple[str | None, Any]]:
        """Font (None: the current one) and script of each character; what scripts share goes with its neighbours."""
        kinds: list[tuple[str | None, Any]] = []
        main = self._cmap(None)
        for i, char in enumerate(text):
            script = get_unicode_script(char)
            if script in _NEUTRAL and kinds and self._stays(char, kinds[-1], text[i + 1 :]):
                kinds.append(kinds[-1])
                continue
            family = None
            if ord(char) not in main:
                family = next((name for name in self._fallback_order if ord(char) in self._cmap(name)), None)
            kinds.append((family, UnicodeScript.COMMON if script in _NEUTRAL else script))
        return kinds

    def _cmap(self, family: str | None) -> Any:
        """Code points of a fallback family, or of the Latin font, whose styles have the same."""
        return getattr(self.fonts[family or "sans"], "cmap", {})

    def _stays(self, char: str, before: tuple[str | None, Any], after: str) -> bool:
        """Whether a shared character belongs to the run before it: a mark always, a space between two of one script."""
        if ord(char) not in self._cmap(before[0]):
            return False
        if before[0] is None or unicodedata.category(char)[0] == "M" or char in "\u200c\u200d":
            return True
        following = next((get_unicode_script(one) for one in after if get_unicode_script(one) not in _NEUTRAL), None)
        return bool(following == before[1])


def base_of(text: str) -> Any:
    """The direction of a text: its first letter's."""
    return auto_detect_base_direction(text)


def _is_right_to_left(char: str) -> bool:
    return unicodedata.bidirectional(char) in _RIGHT_TO_LEFT


def _clusters(word: str) -> Iterator[str]:
    """Letters with the marks and joiners after them; vowels that Thai and Lao write first stay with their letter."""
    current = ""
    for char in word:
        joined = unicodedata.category(char)[0] == "M" or char in "\u200c\u200d" or current.endswith("\u200d")
        leading = current and current[-1] in "เแโใไເແໂໃໄ"
        if current and not joined and not leading:
            yield current
            current = ""
        current += char
    if current:
        yield current
