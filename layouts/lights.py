"""The lights of a score in words and shapes, the same ones on every page."""

from __future__ import annotations

from lawang.domain.kpi import Light
from layouts.words import Words

#: What stands before a light's word, so that colour never says it alone.
GLYPHS = {Light.GREEN: "●", Light.AMBER: "◆", Light.RED: "▲", Light.GREY: "○"}


def light_word(light: Light, say: Words) -> str:
    """A light in words. Grey says only that there is no judgement; `Grey` says why."""
    return {
        Light.GREEN: lambda: say("On target"),
        Light.AMBER: lambda: say("Needs attention"),
        Light.RED: lambda: say("Behind"),
        Light.GREY: lambda: say("Not enough data"),
    }[light]()
