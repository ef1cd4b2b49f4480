"""The brief as one A4 page: text as text, drawings as lines, fonts embedded.

The same morning gives the same bytes: nothing of the page depends on the time of printing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, WrapMode, XPos, YPos

from brief.compose import SPAN, Morning
from brief.prose import Prose
from lawang.city import City
from lawang.domain.kpi import Light, Span
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.model import Budget, Change, ChangeKind, OverdueKind
from layouts import formats

_FONTS = Path(__file__).parent / "fonts"
_FONT = "B612"
Colour = tuple[int, int, int]
_INK: Colour = (24, 32, 42)
_SOFT: Colour = (92, 104, 118)
_LINE: Colour = (200, 207, 214)
_PALE: Colour = (238, 241, 244)
_BAR: Colour = (52, 94, 140)
_NOTE: Colour = (255, 244, 214)
_LIGHTS: dict[Light, Colour] = {
    Light.GREEN: (26, 122, 72),
    Light.AMBER: (184, 116, 0),
    Light.RED: (190, 38, 38),
    Light.GREY: (120, 130, 140),
}
# All in millimetres.
_LEFT, _RIGHT, _TOP, _BOTTOM = 12.0, 198.0, 10.0, 288.0
_SIDE_WIDTH, _GAP = 76.0, 6.0
_MAIN_WIDTH = _RIGHT - _LEFT - _SIDE_WIDTH - _GAP
_CHANGES, _OVERDUE = 7, 6
#: How far the sentences may shrink before the last ones are left to the workbook, in points.
_SIZES = (8.4, 8.0, 7.6, 7.2, 6.8, 6.4, 6.0)


@dataclass(slots=True)
class _Cursor:
    y: float


def draw_pdf(morning: Morning, city: City, language: str, edition: int) -> bytes:
    """The page of one morning in one language."""
    return _Page(morning, city, language, edition).draw()


@cache
def _glyphs(bold: bool) -> frozenset[int]:
    with TTFont(_font_file(bold)) as font:
        return frozenset(font.getBestCmap())


def _font_file(bold: bool) -> Path:
    return _FONTS / ("b612-bold.ttf" if bold else "b612-regular.ttf")


class _Page:
    def __init__(self, morning: Morning, city: City, language: str, edition: int) -> None:
        self.morning, self.city, self.language, self.edition = morning, city, language, edition
        self.overview = morning.overview
        self.prose = Prose(morning, city, language)
        self.say = self.prose.say
        self.pdf = pdf = FPDF("portrait", "mm", "A4")
        pdf.set_auto_page_break(False)
        pdf.set_margin(0)
        pdf.c_margin = 0
        pdf.add_font(_FONT, "", _font_file(False))
        pdf.add_font(_FONT, "B", _font_file(True))
        pdf.set_title(self.prose.title())
        pdf.set_author("Lawang Jabo")
        pdf.set_creator("Lawang Jabo")
        pdf.set_producer("fpdf2")
        pdf.set_lang(language)
        pdf.set_creation_date(morning.made_at)
        pdf.add_page()

    def draw(self) -> bytes:
        """All of it, from the top."""
        at = _Cursor(_TOP)
        self._head(at)
        self._notes(at)
        self._band(at)
        top = at.y
        side = _Cursor(top)
        self._dimensions(side)
        self._moves(side)
        self._late(side)
        self._sentences(top)
        self._foot()
        return bytes(self.pdf.output())

    # --- what text is drawn by -------------------------------------------------------------------

    def text(
        self, x: float, y: float, text: str, size: float, *, width: float = 0.0, bold: bool = False,
        colour: Colour = _INK, align: Align = Align.L,
    ) -> None:  # fmt: skip
        """One line; cut with an ellipsis where it is wider than `width`."""
        pdf = self.pdf
        pdf.set_font(_FONT, "B" if bold else "", size)
        pdf.set_text_color(*colour)
        shown = self._drawable(text, bold)
        if width and pdf.get_string_width(shown) > width:
            while shown and pdf.get_string_width(shown + "…") > width:
                shown = shown[:-1]
            shown = shown.rstrip() + "…"
        pdf.set_xy(x, y)
        pdf.cell(
            width or pdf.get_string_width(shown),
            size * 0.45,
            shown,
            align=align,
            new_x=XPos.RIGHT,
            new_y=YPos.TOP,
        )

    def lines(self, text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
        """The text broken into lines of that width."""
        self.pdf.set_font(_FONT, "B" if bold else "", size)
        found = self.pdf.multi_cell(
            width,
            size * 0.45,
            self._drawable(text, bold),
            align=Align.L,
            dry_run=True,
            output=MethodReturnValue.LINES,
            wrapmode=WrapMode.WORD,
        )
        assert isinstance(found, list)
        return found

    @staticmethod
    def _drawable(text: str, bold: bool) -> str:
        """The text in glyphs that the font has."""
        known = _glyphs(bold)
        plain = text.replace("\u202f", "\xa0")
        return "".join(each if ord(each) in known else "?" for each in plain)

    def rule(self, x: float, y: float, width: float, colour: Colour = _LINE) -> None:
        """A thin horizontal line."""
        self.pdf.set_draw_color(*colour)
        self.pdf.set_line_width(0.2)
        self.pdf.line(x, y, x + width, y)

    def mark(self, x: float, y: float, light: Light, size: float = 2.2) -> None:
        """A light as shape and colour, the shapes of the pages: disc, diamond, triangle, ring."""
        pdf = self.pdf
        pdf.set_fill_color(*_LIGHTS[light])
        pdf.set_draw_color(*_LIGHTS[light])
        pdf.set_line_width(0.3)
        half = size / 2
        if light is Light.GREEN:
            pdf.circle(x + half, y + half, half, style="F")
        elif light is Light.AMBER:
            across = [(x + half, y), (x + size, y + half), (x + half, y + size), (x, y + half)]
            pdf.polygon(across, style="F")
        elif light is Light.RED:
            pdf.polygon([(x, y + size), (x + half, y), (x + size, y + size)], style="F")
        else:
            pdf.circle(x + half, y + half, half, style="D")

    # --- the parts of the page -------------------------------------------------------------------

    def _head(self, at: _Cursor) -> None:
        say, prose = self.say, self.prose
        width = _RIGHT - _LEFT
        made = say(
            "As of {moment}, edition {n}", moment=prose.moment(self.morning.at), n=self.edition
        )
        self.text(_LEFT, at.y, "LAWANG JABO", 7.5, bold=True, colour=_BAR)
        self.text(_LEFT, at.y, made, 7.5, width=width, colour=_SOFT, align=Align.R)
        self.text(_LEFT, at.y + 4.6, prose.title(), 14.5, width=width, bold=True)
        at.y += 13.0
        self.rule(_LEFT, at.y, width, _INK)
        at.y += 1.8

    def _notes(self, at: _Cursor) -> None:
        width = _RIGHT - _LEFT
        wrapped = [
            line
            for note in self.prose.notes()
            for line in self.lines(note, 7.6, width - 6, bold=True)
        ]
        if not wrapped:
            return
        height = len(wrapped) * 3.6 + 1.8
        self.pdf.set_fill_color(*_NOTE)
        self.pdf.set_draw_color(*_LIGHTS[Light.AMBER])
        self.pdf.set_line_width(0.3)
        self.pdf.rect(_LEFT, at.y, width, height, style="DF")
        for number, line in enumerate(wrapped):
            self.text(_LEFT + 3, at.y + 1.2 + number * 3.6, line, 7.6, bold=True)
        at.y += height + 2.0

    def _band(self, at: _Cursor) -> None:
        """The city's score over the horizons, and the three sums of finance."""
        say, prose = self.say, self.prose
        top, height = at.y, 31.0
        city = self.overview.scores[SPAN][0]
        self.text(_LEFT, top, say("City score, {n} days", n=city.horizon.days), 7.5, colour=_SOFT)
        self.text(_LEFT, top + 4.2, prose.score(city.score), 27, bold=True)
        self.mark(_LEFT + 30, top + 6.4, city.light, 3.4)
        self.text(_LEFT + 35, top + 6.6, prose.light(city.light), 9, width=22, bold=True)
        counting = say("{n} of {of} indicators", n=city.counting, of=city.total)
        self.text(_LEFT, top + 17.2, counting, 7.5, width=58, colour=_SOFT)
        for number, span in enumerate(Span):
            roll = self.overview.scores[span][0]
            x = _LEFT + number * 12.2
            self.text(x, top + 22.0, self._span(span), 6.4, width=11.5, colour=_SOFT)
            self.text(x, top + 25.2, prose.score(roll.score), 8.6, width=9, bold=True)
            self.mark(x + 8.2, top + 25.7, roll.light, 1.9)
        finance = self.overview.finance
        if finance is not None:
            x = _LEFT + 68
            for number, each in enumerate((finance.revenue, finance.spending, finance.own_revenue)):
                self._bullet(x, top + number * 10.3, _RIGHT - x, each)
        at.y = top + height
        self.rule(_LEFT, at.y, _RIGHT - _LEFT)
        at.y += 2.2

    def _bullet(self, x: float, y: float, width: float, budget: Budget) -> None:
        """One sum: its bar, what was planned by now as a line, the forecast as a whisker."""
        say, prose, pdf = self.say, self.prose, self.pdf
        value = budget.value
        name = prose.name(self.overview.lines[budget.kpi].kpi)
        self.text(x, y, name, 7.5, width=44, bold=True)
        told = prose.money(value.value)
        if value.value is not None and value.target:
            told = say(
                "{value} = {share} of plan {target}",
                value=told, share=prose.share(value.value / value.target),
                target=prose.money(value.target),
            )  # fmt: skip
        self.mark(x + 45, y + 0.5, value.light)
        self.text(x + 48.5, y, told, 7.5, width=width - 48.5, align=Align.R)
        whole = [budget.target_year, value.value, budget.forecast and budget.forecast.high]
        most = max((each for each in whole if each), default=0.0)
        if not most:
            return
        scale, bar = width / most, y + 4.2
        pdf.set_fill_color(*_PALE)
        pdf.rect(x, bar, scale * (budget.target_year or most), 3.4, style="F")
        if value.value:
            pdf.set_fill_color(*(_BAR if value.grey is None else _LIGHTS[Light.GREY]))
            pdf.rect(x, bar + 0.8, scale * max(0.0, value.value), 1.8, style="F")
        pdf.set_draw_color(*_INK)
        pdf.set_line_width(0.6)
        if value.target:
            pdf.line(x + scale * value.target, bar, x + scale * value.target, bar + 3.4)
        if budget.forecast is not None:
            low, high = scale * budget.forecast.low, scale * budget.forecast.high
            pdf.set_line_width(0.25)
            pdf.line(x + low, bar + 1.7, x + high, bar + 1.7)
            for end in (low, high):
                pdf.line(x + end, bar + 0.9, x + end, bar + 2.5)

    def _heading(self, x: float, at: _Cursor, text: str, width: float) -> None:
        self.text(x, at.y, text, 8.2, width=width, bold=True, colour=_BAR)
        at.y += 4.4

    def _dimensions(self, at: _Cursor) -> None:
        say, prose = self.say, self.prose
        x, first, cell = _RIGHT - _SIDE_WIDTH, 23.0, 10.6
        self._heading(x, at, say("Dimensions"), _SIDE_WIDTH)
        for number, span in enumerate(Span):
            self.text(x + first + number * cell, at.y, self._span(span), 6.2, width=cell - 0.8,
                      colour=_SOFT)  # fmt: skip
        at.y += 3.4
        for number, roll in enumerate(self.overview.scores[SPAN][1:]):
            self.rule(x, at.y, _SIDE_WIDTH)
            self.text(x, at.y + 0.9, prose.dimension(roll.id), 6.6, width=first - 0.5)
            for place, span in enumerate(Span):
                one = self.overview.scores[span][1 + number]
                left = x + first + place * cell
                self.mark(left, at.y + 1.3, one.light, 1.7)
                self.text(left + 2.4, at.y + 0.9, prose.score(one.score), 6.8, width=cell - 2.6)
            at.y += 4.5
        at.y += 2.4

    def _moves(self, at: _Cursor) -> None:
        """What got worse and better since the day before and the week before, with its course."""
        say = self.say
        x = _RIGHT - _SIDE_WIDTH
        shown: list[tuple[Change, bool]] = []
        for changes in (self.overview.changes, self.morning.week):
            for each in (*changes.worse, *changes.better):
                if all(each.kpi != other.kpi for other, _ in shown):
                    shown.append((each, each.worse))
        worse = [each for each, is_worse in shown if is_worse]
        better = [each for each, is_worse in shown if not is_worse]
        kept_better = min(len(better), max(2, _CHANGES - len(worse)))
        kept = [*worse[: _CHANGES - kept_better], *better[:kept_better]]
        self._heading(x, at, say("Worse and better, with its last course"), _SIDE_WIDTH)
        if not kept:
            self.text(x, at.y, say("Nothing moved."), 6.8, colour=_SOFT)
            at.y += 5.0
        for each in kept:
            self._move(x, at.y, each)
            at.y += 7.4
        at.y += 1.6

    def _move(self, x: float, y: float, change: Change) -> None:
        prose = self.prose
        line = self.overview.lines[change.kpi]
        now = line.values[SPAN]
        self.rule(x, y, _SIDE_WIDTH)
        self._arrow(x, y + 1.4, change.worse)
        self.text(x + 3.4, y + 0.8, prose.name(line.kpi), 6.8, width=48)
        say = self.say
        told = say(
            "{before} to {after}",
            before=prose.score(None if change.kind is ChangeKind.REGAINED else change.before.score),
            after=prose.score(None if change.kind is ChangeKind.LOST else change.after.score),
        )
        self.text(x + 3.4, y + 3.9, told, 6.6, width=17, bold=True)
        target = prose.figure(line.kpi, now.target)
        figures = f"{prose.figure(line.kpi, now.value)} / {target}"
        self.text(x + 21, y + 3.9, figures, 6.4, width=31, colour=_SOFT)
        self._spark(x + 53, y + 0.9, _SIDE_WIDTH - 53.5, 5.4, line.spark)

    def _arrow(self, x: float, y: float, worse: bool) -> None:
        colour = _LIGHTS[Light.RED if worse else Light.GREEN]
        self.pdf.set_fill_color(*colour)
        points = (
            [(x, y), (x + 2.2, y), (x + 1.1, y + 2)]
            if worse
            else [(x, y + 2), (x + 2.2, y + 2), (x + 1.1, y)]
        )
        self.pdf.polygon(points, style="F")

    def _spark(
        self, x: float, y: float, width: float, height: float, points: Sequence[TrendPoint]
    ) -> None:
        """The recent course and its target; a missing day breaks the line."""
        known = [(each.day.toordinal(), each.value) for each in points if each.value is not None]
        if len(known) < 2:
            return
        targets = [
            (each.day.toordinal(), each.target) for each in points if each.target is not None
        ]
        every = [value for _, value in (*known, *targets)]
        low, high = min(every), max(every)
        reach = (high - low) or 1.0
        first, last = known[0][0], known[-1][0]

        def place(day: int, value: float) -> tuple[float, float]:
            return (
                x + width * (day - first) / ((last - first) or 1),
                y + height * (1 - (value - low) / reach),
            )

        step = min(b[0] - a[0] for a, b in pairwise(known))
        self._line([place(*each) for each in targets], _LINE, 0.2)
        run = [known[0]]
        for before, each in pairwise(known):
            # Months are not equally long; a day that is left out is.
            if each[0] - before[0] > max(step * 1.5, step + 3 if step > 7 else 0):
                self._line([place(*one) for one in run], _BAR, 0.3)
                run = []
            run.append(each)
        self._line([place(*one) for one in run], _BAR, 0.3)
        end = place(*known[-1])
        self.pdf.set_fill_color(*_BAR)
        self.pdf.circle(end[0], end[1], 0.55, style="F")

    def _line(self, points: Sequence[tuple[float, float]], colour: Colour, width: float) -> None:
        if len(points) > 1:
            self.pdf.set_draw_color(*colour)
            self.pdf.set_line_width(width)
            self.pdf.polyline(list(points))

    def _late(self, at: _Cursor) -> None:
        """What is overdue, by department: reports, applications, sources."""
        say, prose = self.say, self.prose
        x = _RIGHT - _SIDE_WIDTH
        by_owner: dict[str, dict[OverdueKind, int]] = {}
        for each in self.overview.overdue:
            counts = by_owner.setdefault(each.owner, {})
            counts[each.kind] = counts.get(each.kind, 0) + each.count
        self._heading(x, at, say("Overdue, by department"), _SIDE_WIDTH)
        kinds = (
            (OverdueKind.INCIDENTS, say("reports")),
            (OverdueKind.REQUESTS, say("applications")),
            (OverdueKind.DATA, say("sources")),
            (OverdueKind.MILESTONE, say("milestones")),
        )
        first, cell = 20.0, 14.0
        for number, (_, label) in enumerate(kinds):
            self.text(x + first + number * cell, at.y, label, 6.0, width=cell - 0.6, colour=_SOFT,
                      align=Align.R)  # fmt: skip
        at.y += 3.4
        order = sorted(by_owner.items(), key=lambda each: (-sum(each[1].values()), each[0]))
        for owner, counts in order[:_OVERDUE]:
            self.rule(x, at.y, _SIDE_WIDTH)
            self.text(x, at.y + 0.8, prose.opd(owner), 6.6, width=first - 1)
            for number, (kind, _) in enumerate(kinds):
                told = prose.number(counts[kind]) if kind in counts else formats.MISSING
                self.text(x + first + number * cell, at.y + 0.8, told, 6.8, width=cell - 0.6,
                          align=Align.R)  # fmt: skip
            at.y += 4.3
        if not order:
            self.text(x, at.y, say("Nothing is known to be overdue."), 6.8, colour=_SOFT)
            at.y += 4.3
        elif len(order) > _OVERDUE:
            more = say("and {n} more departments", n=len(order) - _OVERDUE)
            self.text(x, at.y + 0.6, more, 6.4, colour=_SOFT)
            at.y += 4.0

    def _sentences(self, top: float) -> None:
        """The prose, in the largest size in which all of it fits."""
        bottom = _BOTTOM - 9.0
        for size in _SIZES:
            if self._write(top, size, dry=True) <= bottom:
                break
        self._write(top, size, dry=False, bottom=bottom)

    def _write(self, top: float, size: float, *, dry: bool, bottom: float = 1e9) -> float:
        y, step = top, size * 0.455
        for paragraph in self.prose.paragraphs():
            block = self.lines(" ".join(paragraph.sentences), size, _MAIN_WIDTH)
            if y + step * (len(block) + 1.2) > bottom:
                break
            if not dry:
                self.text(_LEFT, y, paragraph.title, size, bold=True, colour=_BAR)
            y += step * 1.15
            for line in block:
                if not dry:
                    self.text(_LEFT, y, line, size)
                y += step
            y += step * 0.55
        return y

    def _foot(self) -> None:
        say = self.say
        y = _BOTTOM - 6.6
        self.rule(_LEFT, y, _RIGHT - _LEFT)
        x = _LEFT
        for light in Light:
            self.mark(x, y + 1.5, light, 1.8)
            word = self.prose.light(light)
            self.text(x + 2.6, y + 1.0, word, 6.4, colour=_SOFT)
            x += 5.6 + self.pdf.get_string_width(word)
        beside = say("Dates, cohorts and sources of all figures: the XLSX beside this page.")
        self.text(x + 2, y + 1.0, beside, 6.4, width=_RIGHT - x - 2, colour=_SOFT, align=Align.R)
        told = say(
            "Score = value by target, or target by value where less is better; 1 is on target. "
            "Grey: no, old or too few data; it does not count."
        )
        self.text(_LEFT, y + 3.8, told, 6.2, width=_RIGHT - _LEFT, colour=_SOFT)
        drawn = say(
            "Bars: what was reached; pale: the year's target; upright line: planned by then; "
            "whisker: the year's forecast. Courses: the pale line is the target."
        )
        self.text(_LEFT, y + 6.5, drawn, 6.2, width=_RIGHT - _LEFT, colour=_SOFT)

    def _span(self, span: Span) -> str:
        say = self.say
        days = self.overview.scores[span][0].horizon.days
        return {
            Span.DAY: say("day"),
            Span.WEEK: say("week"),
            Span.MONTH: say("{n} days", n=days),
            Span.QUARTER: say("{n} days", n=days),
            Span.YEAR: say("year"),
        }[span]
