"""What each part did to a change: bars to either side of nought."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from layouts.svg.marks import Scale, Tell, drawing, path, rect, text

_WIDTH, _LABEL, _NUMBER, _ROW = 360.0, 190.0, 52.0, 20.0


def contributions(
    parts: Sequence[tuple[str, float]], *, title: str, desc: str, tell: Tell
) -> Markup:
    """A bar for each part, in the order given, the name before it and its amount behind."""
    reach = max((abs(amount) for _, amount in parts), default=0.0) or 1.0
    across = Scale(-reach, reach, _LABEL, _WIDTH - _NUMBER)
    zero = across(0.0)
    height = len(parts) * _ROW + 4
    drawn = [path("zero", f"M{zero:.1f} 0V{height:.1f}")]
    for place, (name, amount) in enumerate(parts):
        y = place * _ROW + 2
        end = across(amount)
        kind = "gain" if amount >= 0 else "loss"
        drawn.append(rect(kind, min(zero, end), y + 4, max(0.6, abs(end - zero)), _ROW - 9))
        drawn.append(text("name", 0, y + 13, shortened(name)))
        drawn.append(text("amount", _WIDTH, y + 13, tell(amount), "end"))
    return drawing("contributions", _WIDTH, height, title, drawn, desc=desc)


def shortened(name: str, most: int = 34) -> str:
    """A name that fits; the whole one stands in the table beside the chart."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
