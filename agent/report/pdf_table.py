"""Tables of the PDF: wrapped cells in rows that go on over pages. Imported only where fpdf2 is known to be there."""

from __future__ import annotations

from dataclasses import dataclass

from geosleuth.agent.report.blocks import Facts, Grid
from geosleuth.agent.report.pdf_document import Document
from geosleuth.agent.report.reading_order import Line

FEWEST = 4  # lines of a row at a page's foot: fewer tell nothing
_LETTERS = 8.5  # points
_FACT_SHARE = 0.24  # of the width, for names
_INSIDE_MM, _ABOVE_MM, _BELOW_MM = 1.2, 0.6, 0.6  # room around a cell's words


@dataclass(frozen=True)
class Table:
    """Rows to be set; the head stands on every page."""

    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]  # shares of the page
    numeric: tuple[int, ...] = ()
    head: tuple[str, ...] | None = None
    styles: tuple[str, ...] = ()  # of the columns
    auto: bool = False  # a cell begins at its first letter's side: values of any language, where claims are English

    @classmethod
    def of(cls, block: Facts | Grid) -> Table:
        """Both kinds of block that are tables."""
        if isinstance(block, Grid):
            return cls(block.rows, block.widths, block.numeric, block.head, ("",) * len(block.head))
        rows = tuple((fact.name, fact.value) for fact in block.rows)
        return cls(rows, (_FACT_SHARE, 1 - _FACT_SHARE), styles=("B", ""), auto=True)

    def least_mm(self, pdf: Document) -> float:
        """Height of the head and of the first row's beginning."""
        heights = [len(self._longest(pdf, self.head, bold=True))] if self.head else []
        heights += [min(len(self._longest(pdf, row)), FEWEST) for row in self.rows[:1]]
        return sum(count * pdf.line_mm + _ABOVE_MM + _BELOW_MM for count in heights)

    def set(self, pdf: Document) -> None:
        """Set all rows at the document's position."""
        self._set_head(pdf)
        for row in self.rows:
            self._set_row(pdf, row)

    def _set_head(self, pdf: Document) -> None:
        if self.head is not None:
            cells = self._cells(pdf, self.head, bold=True)
            self._set_lines(pdf, cells, 0, max(map(len, cells)), bold=True)

    def _set_row(self, pdf: Document, row: tuple[str, ...]) -> None:
        """A row longer than a page goes on."""
        cells = self._cells(pdf, row)
        done, tallest = 0, max(map(len, cells))
        while done < tallest:
            fits = int((pdf.room_mm - _ABOVE_MM - _BELOW_MM) / pdf.line_mm)
            if fits < min(tallest - done, FEWEST):
                pdf.add_page()
                self._set_head(pdf)
                continue
            count = min(fits, tallest - done)
            self._set_lines(pdf, cells, done, done + count)
            done += count

    def _cells(self, pdf: Document, row: tuple[str, ...], *, bold: bool = False) -> list[list[Line]]:
        cells = []
        for text, share, style in zip(row, self.widths, self.styles, strict=True):
            pdf.set_font("sans", "B" if bold else style, _LETTERS)
            cells.append(pdf.wrap(text, share * pdf.epw - 2 * _INSIDE_MM, auto=self.auto))
        return cells

    def _longest(self, pdf: Document, row: tuple[str, ...], *, bold: bool = False) -> list[Line]:
        return max(self._cells(pdf, row, bold=bold), key=len)

    def _set_lines(self, pdf: Document, cells: list[list[Line]], start: int, end: int, *, bold: bool = False) -> None:
        """Set some lines of all cells, and the rule below them."""
        y, x = pdf.get_y(), pdf.l_margin
        for i, (lines, share) in enumerate(zip(cells, self.widths, strict=True)):
            pdf.set_font("sans", "B" if bold else self.styles[i], _LETTERS)
            for k, line in enumerate(lines[start:end]):
                at, wide = y + _ABOVE_MM + k * pdf.line_mm, share * pdf.epw - 2 * _INSIDE_MM
                pdf.set_line(line, x + _INSIDE_MM, at, wide, right=i in self.numeric)
            x += share * pdf.epw
        bottom = y + (end - start) * pdf.line_mm + _ABOVE_MM + _BELOW_MM
        pdf.set_draw_color(200)
        pdf.line(pdf.l_margin, bottom, pdf.l_margin + pdf.epw, bottom)
        pdf.set_xy(pdf.l_margin, bottom)
