"""A PDF document that sets text of all scripts, line by line. Imported only where fpdf2 is known to be there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fpdf import FPDF
from fpdf.enums import TextDirection
from fpdf.line_break import Fragment
from fpdf.unicode_script import UnicodeScript, get_unicode_script

from geosleuth.agent.report.fonts import BOLD, REGULAR, Face, folder, shipped, suiting
from geosleuth.agent.report.reading_order import Line, goes_left, line_of

MARGIN_MM = 17.0
_LEADING = 1.42  # of a line, over the size of its letters: room for the marks of Thai, Khmer and Urdu
_MM_PER_POINT = 25.4 / 72
_NEUTRAL = (UnicodeScript.COMMON, UnicodeScript.INHERITED, UnicodeScript.UNKNOWN)
_WORD = re.compile("[^ ]+")


class Document(FPDF):
    """Pages of A4 with a running head and page numbers; sizes in points, positions in mm."""

    def __init__(self, running_head: str, further: Sequence[Face], replaced: Mapping[int, str]) -> None:
        super().__init__(format="A4")
        self.running_head, self._replaced = running_head, replaced
        self._widths: dict[tuple[str, bool, str, float], float] = {}
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
        self.set_line(self.wrap(text, self.epw)[0], MARGIN_MM, y, self.epw)
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

    def drawable(self, text: str) -> str:
        """Put code points in the place of what no font draws."""
        return text.translate(self._replaced)

    def wrap(self, text: str, width: float, *, auto: bool = False) -> list[Line]:
        """Break a paragraph into lines, at least one; `auto`: it begins at its first letter's side."""
        text = self.drawable(text)
        whole, lines = line_of(text, auto=auto), []
        start = end = 0
        for word in _WORD.finditer(text):
            if start < end and self.width_of(whole.part(start, word.end())) <= width:
                end = word.end()
                continue
            if start < end:
                lines.append(whole.part(start, end))
            start, end = word.span()
            for cut in self._cuts(whole, start, end, width):
                lines.append(whole.part(start, cut))
                start = cut
        return [*lines, whole.part(start, end)]

    def _cuts(self, whole: Line, start: int, end: int, width: float) -> Iterator[int]:
        """Where to break what is longer than a line (Thai, Chinese, hashes, addresses), never before a mark."""
        if self.width_of(whole.part(start, end)) <= width:
            return
        at = start
        for cluster in _clusters(whole.text[start:end]):
            if at > start and self.width_of(whole.part(start, at + len(cluster))) > width:
                yield at
                start = at
            at += len(cluster)

    def width_of(self, line: Line) -> float:
        """In mm, at the current size."""
        return sum(self._run_width(*run) for run in line.runs())

    def _run_width(self, text: str, leftward: bool) -> float:
        key = (text, leftward, self.font_style, self.font_size_pt)
        if key not in self._widths:
            self._use(text, leftward)
            self._widths[key] = float(self.get_string_width(text))
        return self._widths[key]

    def set_line(self, line: Line, x: float, y: float, width: float, *, right: bool = False) -> None:
        """Set one line.

        What readers would take from the letters' shapes alone can be out of order in scripts that reorder them, so the
        text itself is given beside them (ActualText). Not for lines with right-to-left letters: some readers turn those
        round once more.
        """
        if right or line.base:
            x += width - self.width_of(line)
        main = self._cmap(None)
        spoken = any(ord(char) not in main for char in line.text) and not any(goes_left(char) for char in line.text)
        if spoken:
            self._out(f"/Span <</ActualText <FEFF{line.text.encode('utf-16-be').hex().upper()}>>> BDC")
        for text, leftward in line.runs():
            wide = self._run_width(text, leftward)
            self._use(text, leftward)
            self.set_xy(x, y)
            self.cell(wide, self.line_mm, text, align="L")
            x += wide
        if spoken:
            self._out("EMC")

    def _use(self, text: str, leftward: bool) -> None:
        """Choose direction and fallback fonts: Han characters look different in China, Japan and Korea."""
        self.set_text_shaping(True, direction=TextDirection.RTL if leftward else TextDirection.LTR)
        suited = [face.family for face in suiting(text) if face.family in self._families]
        own = [family for family in self._families if family not in suited]
        ours = {face.family for face in shipped()}  # come first: they are the same on every system
        self._fallback_order = [one for one in own if one in ours] + suited + [one for one in own if one not in ours]

    def _preload_bidirectional_text(self, text: str, markdown: bool) -> Sequence[Fragment]:
        """Take a text as one run: `Line.runs` has parted the directions, which fpdf2 would set in the wrong order."""
        if self.text_shaping:
            way = self.text_shaping["direction"]
            self.text_shaping.update(paragraph_direction=way, fragment_direction=way)
        return self._preload_font_styles(text, markdown)

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
