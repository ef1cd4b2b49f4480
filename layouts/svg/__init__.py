"""Charts for decisions, as SVG made by the server. Pure functions; nothing is ever drawn twice.

Titles, findings and labels come from the caller in the page's language and are escaped here.
Colours are classes (`light/static/charts.css`), so that paper and themes have a say; a state has a
shape beside its colour. Days that are missing stay empty, bars begin at nought.
"""

from layouts.svg.bullet import bullet
from layouts.svg.calendar import DayMark, calendar
from layouts.svg.contributions import contributions
from layouts.svg.course import course
from layouts.svg.district_map import Outline, district_map, outline
from layouts.svg.intervals import IntervalRow, bars, intervals
from layouts.svg.multiples import multiples
from layouts.svg.sparkline import sparkline
from layouts.svg.trend import Note, trend
from layouts.svg.waterfall import Step, waterfall

__all__ = [
    "DayMark",
    "IntervalRow",
    "Note",
    "Outline",
    "Step",
    "bars",
    "bullet",
    "calendar",
    "contributions",
    "course",
    "district_map",
    "intervals",
    "multiples",
    "outline",
    "sparkline",
    "trend",
    "waterfall",
]
