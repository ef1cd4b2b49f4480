"""Figures and what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lawang.domain.errors import LawangError

#: Named figures of one benchmark, as `lawang bench NAME --json` prints them.
Figures = dict[str, float]


class BenchError(LawangError):
    """A benchmark that cannot be run, and why."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be: at most or at least a number. `words` say what the figure is."""

    key: str
    words: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def limit(self) -> str:
        """The aim in words."""
        if self.at_most is not None:
            return f"at most {self.at_most:,.10g}"
        return f"at least {self.at_least:,.10g}"

    def is_reached(self, figures: Mapping[str, float]) -> bool:
        """Whether the figure is there and within its limit."""
        value = figures.get(self.key)
        if value is None:
            return False
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is not None and value >= self.at_least
