"""The belief as ranked countries: bars, and the same as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosleuth.agent.figures import percent
from geosleuth.agent.printable import printable
from geosleuth.ui.view.colours import Palette, palette
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    import altair

    from geosleuth.agent.localization import CountryShare, Localization

_LEAST_SHARE = 0.001  # would print as 0.0 %: no answer to where to look
_BAR_PX, _AXIS_PX = 26, 24  # of each row; of what Vega keeps free above and below
_NAME_PX = 130  # of the longest name before it is cut: on a phone half of the width stays for the bars


def countries_chart(answer: Localization, *, key: str = "countries") -> None:
    """Draw the most likely countries as bars with their percentages; a table says the same to a screen reader."""
    import streamlit as st

    shares = likely(answer)
    if answer.status == "not_locatable":
        st.caption("These shares say little more than where photos are taken.")
    told = ", ".join(f"{one.name} {percent(one.probability)}" for one in shares[:3])
    st.altair_chart(bars(shares, palette()), width="stretch", key=key, alt=plain(f"Countries by probability: {told}"))
    with st.expander("The countries as a table"):
        rows: list[dict[str, Any]] = [
            {"Country": escape_markdown(one.name), "Code": one.code, "Share of the belief": percent(one.probability)}
            for one in shares
        ]
        st.table(rows, hide_index=True)


def likely(answer: Localization) -> list[CountryShare]:
    """Return the countries that are worth a row, the most likely first; at least one."""
    return [one for one in answer.countries if one.probability >= _LEAST_SHARE] or list(answer.countries[:1])


def bars(shares: list[CountryShare], colours: Palette) -> altair.LayerChart:
    """Lay the bars out; linear, since a logarithm would make 1 % look like half of 99 %."""
    import altair

    rows = [
        {"country": printable(one.name), "share": one.probability, "words": percent(one.probability)} for one in shares
    ]
    largest = max((one.probability for one in shares), default=1.0)
    base = altair.Chart(altair.InlineData(values=rows)).encode(
        y=altair.Y("country:N", sort=None, title=None).axis(
            labelLimit=_NAME_PX, labelColor=colours.text, ticks=False, domain=False, labelFontSize=13
        ),
        # Room on the right for the label of the longest bar.
        x=altair.X("share:Q", title=None, axis=None, scale=altair.Scale(domain=[0, largest * 1.25])),
        tooltip=[altair.Tooltip("country:N", title="Country"), altair.Tooltip("words:N", title="Share of the belief")],
    )
    drawn = base.mark_bar(color=colours.bar, cornerRadiusEnd=2, height={"band": 0.7})
    labels = base.mark_text(align="left", dx=5, color=colours.text, fontSize=13).encode(text="words:N")
    chart: altair.LayerChart = (drawn + labels).properties(height=_BAR_PX * max(len(rows), 1) + _AXIS_PX)
    return chart
