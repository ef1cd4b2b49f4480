"""Where amber begins and green begins, in the indicator's own unit."""

from __future__ import annotations

from lawang.domain.kpi import SCORE_MAX, Direction


def thresholds(
    target: float | None, direction: Direction, green: float, amber: float
) -> tuple[float, float] | None:
    """The values that score `amber` and `green`; None without a target that can be shared out.

    More is better: target x score; less is better: target / score.
    """
    if target is None or target <= 0 or green <= 0 or amber <= 0:
        return None
    if direction is Direction.UP:
        return target * amber, target * green
    return target / amber, target / green


def best(target: float, direction: Direction) -> float:
    """The value beyond which a score grows no more."""
    return target * SCORE_MAX if direction is Direction.UP else 0.0
