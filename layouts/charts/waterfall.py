"""How one amount comes about from others, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from layouts import formats
from layouts.charts import axes
from layouts.theme import TOKENS
from layouts.words import Words


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of a waterfall: a whole that stands on nought, or a move from where the last ended."""

    name: str
    amount: float
    whole: bool = False


def waterfall(
    steps: Sequence[Step], unit: str, say: Words, *, height: int = 380, narrow: bool = False
) -> go.Figure:
    """Wholes and moves with their amounts written at them; up and down are told by arrows too."""
    figure = axes.empty(say, height, showlegend=False, hovermode="closest")
    language = say.language
    reached, tops = 0.0, [0.0]
    for step in steps:
        reached = step.amount if step.whole else reached + step.amount
        tops.append(reached)
    texts = [axes.plain_text(_amount(step, unit, language)) for step in steps]
    names = [axes.plain_text(step.name) for step in steps]
    colour = TOKENS["good"], TOKENS["bad"]
    bars = {
        "measure": ["absolute" if step.whole else "relative" for step in steps],
        "text": None if narrow else texts,
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": colour[0]}},
        "decreasing": {"marker": {"color": colour[1]}},
        "totals": {"marker": {"color": TOKENS["accent"]}},
        "connector": {"line": {"color": TOKENS["text-3"], "width": 1, "dash": "dot"}},
        "customdata": [f"<b>{name}</b><br>{text}" for name, text in zip(names, texts, strict=True)],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    places = list(range(len(steps)))
    amounts = [step.amount for step in steps]
    axis = axes.value_axis(tops, unit, language, zero=True, count=3 if narrow else 5)
    if not narrow:
        axis["range"][1] += (axis["range"][1] - axis["range"][0]) * 0.08
    # Beside lying bars the amounts would lie on the names: there they are told with these.
    labels = [
        f"{_wrapped(name)}<br>{text}" if narrow else _wrapped(name)
        for name, text in zip(names, texts, strict=True)
    ]
    label = {"tickvals": places, "ticktext": labels, "fixedrange": True}
    if narrow:
        figure.add_trace(go.Waterfall(x=amounts, y=places, orientation="h", **bars))
        figure.update_layout(
            xaxis=axis | {"showgrid": True},
            yaxis=label | {"autorange": "reversed", "showgrid": False},
        )
    else:
        figure.add_trace(go.Waterfall(x=places, y=amounts, **bars))
        figure.update_layout(xaxis=label, yaxis=axis)
    return figure


def _amount(step: Step, unit: str, language: str) -> str:
    text = formats.figure(step.amount, unit, language)
    if step.whole or step.amount == 0:
        return text
    return f"▲ +{text}" if step.amount > 0 else f"▼ {text}"


def _wrapped(name: str, most: int = 16) -> str:
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
