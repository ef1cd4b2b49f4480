"""What an indicator is made of: bars by subject, source or department."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lawang.domain.kpi import Combine, Kpi
from lawang.kpi.explain import Part
from layouts import formats
from layouts.charts import axes
from layouts.theme import TOKENS
from layouts.words import Words

_ROW_PX = 30
_MOST = 18
_LONGEST = 34


def parts(found: Sequence[Part], kpi: Kpi, say: Words, *, narrow: bool = False) -> go.Figure:
    """The largest parts, each with its value and cohort; of a sum, the others as one bar."""
    shown = [(each.name or each.key, each.value, each.n) for each in found[:_MOST]]
    rest = found[_MOST:]
    if rest and kpi.combine is Combine.SUM:
        amount = sum(each.value or 0.0 for each in rest)
        shown.append((say("{n} others", n=len(rest)), amount, sum(each.n for each in rest)))
    figure = axes.empty(say, 48 + _ROW_PX * len(shown), showlegend=False, hovermode="closest")
    language = say.language
    texts = [
        axes.plain_text(formats.figure(value, kpi.unit_in(language), language))
        for _, value, _ in shown
    ]
    axis = axes.value_axis(
        [value for _, value, _ in shown],
        kpi.unit_in(language),
        language,
        zero=True,
        count=3 if narrow else 5,
    )
    axis["range"][1] += (axis["range"][1] - axis["range"][0]) * (0.35 if narrow else 0.14)
    figure.add_trace(
        go.Bar(
            x=[value for _, value, _ in shown],
            y=list(range(len(shown))),
            orientation="h",
            marker={"color": TOKENS["accent"]},
            text=texts,
            textposition="outside",
            cliponaxis=False,
            customdata=[
                f"<b>{axes.plain_text(name)}</b><br>{text}<br>"
                + say("n = {n}", n=formats.number(n, language))
                for (name, _, n), text in zip(shown, texts, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.update_layout(
        margin={"t": 8},
        xaxis=axis | {"showgrid": True},
        yaxis={
            "tickvals": list(range(len(shown))),
            "ticktext": [_label(name, 18 if narrow else _LONGEST) for name, _, _ in shown],
            "range": [len(shown) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def _label(name: str, most: int) -> str:
    return axes.plain_text(name if len(name) <= most else f"{name[: most - 1]}…")
