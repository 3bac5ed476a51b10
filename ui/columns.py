"""Tables in a terminal."""

from __future__ import annotations


def columns(rows: list[list[str]]) -> list[str]:
    """Set cells under each other: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
