"""Amounts that add up: each bar begins where the one before ended, totals stand on nought."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from layouts.svg.marks import Scale, Tell, drawing, path, rect, text

_WIDTH, _LABEL, _NUMBER, _ROW = 360.0, 118.0, 78.0, 22.0


@dataclass(frozen=True, slots=True)
class Step:
    """One bar. `amount` is added to what came before; a `total` shows what it has come to."""

    name: str
    amount: float
    total: bool = False


def waterfall(steps: Sequence[Step], *, title: str, desc: str, tell: Tell) -> Markup:
    """Bars lie, one under the other, so that names can be read on a phone.

    What is added is a bar to the right with ▸, what is taken away one to the left with ◂. A total
    is the sum of the steps before it, whatever its own amount says.
    """
    bars: list[tuple[Step, float, float]] = []
    reached: list[float] = []
    for step in steps:
        before = math.fsum(reached)
        if step.total:
            bars.append((step, 0.0, before))
        else:
            reached.append(step.amount)
            bars.append((step, before, math.fsum(reached)))
    edges = [0.0, *(edge for _, one, other in bars for edge in (one, other))]
    across = Scale(min(edges), max(edges) or 1.0, _LABEL + 4, _WIDTH - _NUMBER)
    height = len(bars) * _ROW + 6
    zero = across(0.0)
    parts = [path("zero", f"M{zero:.1f} 0V{height:.1f}")]
    for place, (step, start, end) in enumerate(bars):
        y = place * _ROW + 3
        one, other = sorted((across(start), across(end)))
        kind = "total" if step.total else "gain" if step.amount >= 0 else "loss"
        parts.append(rect(kind, one, y + 3, max(1.0, other - one), _ROW - 8))
        if place + 1 < len(bars):
            x = across(end)
            parts.append(path("link", f"M{x:.1f} {y + 3:.1f}v{_ROW:.1f}"))
        sign = "" if step.total else "▸ " if step.amount >= 0 else "◂ "
        parts.append(text("name total" if step.total else "name", 0, y + 14, step.name))
        shown = end if step.total else step.amount
        parts.append(text("amount", _WIDTH, y + 14, f"{sign}{tell(shown)}", "end"))
    return drawing("waterfall", _WIDTH, height, title, parts, desc=desc)
