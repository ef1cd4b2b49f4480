"""The brief as a workbook: real numbers, and formulas that a reader can follow and change.

Each formula carries the value that it comes to, so that viewers which do not calculate show it.
Text is always written as text: a name that begins with "=" is a name.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from brief.compose import SPAN, Morning
from brief.prose import Prose, clean
from lawang.city import City
from lawang.domain.formula import sources_of
from lawang.domain.health import Health
from lawang.domain.kpi import CITY_THRESHOLDS, SCORE_MAX, Direction, Grey, Kpi, Light, Span
from lawang.overview.model import Budget, Standing

#: What a score may lack of a threshold, as the rule of the lights has it.
_ROUNDING = "1E-9"
#: Excel's text in one cell.
_TEXT_MAX = 32_000
_INDICATORS, _DIMENSIONS, _CITY = "Indikator", "Dimensi", "Kota"


def make_workbook(morning: Morning, city: City, language: str) -> bytes:
    """The workbook of one morning in one language."""
    return _Book(morning, city, language).make()


class _Sheet:
    """One sheet, written row by row. Columns are counted from 0, rows as Excel names them."""

    def __init__(self, book: _Book, name: str, widths: Sequence[float]) -> None:
        self._book = book
        self.name = name
        self.sheet = book.file.add_worksheet(name)
        self.row = 0
        self._header = 0
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_footer("&L&F&C&A&R&P / &N")

    def head(self, titles: Sequence[str]) -> None:
        """The row of column names; it stays in sight and is printed on every page."""
        for column, title in enumerate(titles):
            self.sheet.write_string(self.row, column, title, self._book.form("head"))
        self._header = self.row
        self._columns = len(titles)
        self.row += 1
        self.sheet.freeze_panes(self.row, 2 if len(titles) > 6 else 1)
        self.sheet.repeat_rows(self._header)

    def filter(self) -> None:
        """Buttons to sort and to narrow the rows under the column names."""
        if self.row > self._header + 1:
            self.sheet.autofilter(self._header, 0, self.row - 1, self._columns - 1)

    def put(self, column: int, value: Any, form: str = "") -> None:
        """A text, number, day or instant of the row under way; None leaves the cell empty."""
        sheet, style = self.sheet, self._book.form(form or "text")
        if value is None:
            sheet.write_blank(self.row, column, None, style)
        elif isinstance(value, str):
            sheet.write_string(self.row, column, clean(value, _TEXT_MAX), style)
        elif isinstance(value, datetime):
            local = value.astimezone(self._book.city.timezone).replace(tzinfo=None)
            sheet.write_datetime(self.row, column, local, self._book.form("moment"))
        elif isinstance(value, date):
            sheet.write_datetime(self.row, column, value, self._book.form("day"))
        else:
            sheet.write_number(self.row, column, value, style)

    def formula(self, column: int, formula: str, value: Any, form: str) -> None:
        """A formula and what it comes to; None is shown as an empty text."""
        shown = "" if value is None else value
        self.sheet.write_formula(self.row, column, formula, self._book.form(form), shown)

    def next(self) -> None:
        """Go to the row below."""
        self.row += 1

    @property
    def number(self) -> int:
        """The row under way, as formulas name it."""
        return self.row + 1


class _Book:
    def __init__(self, morning: Morning, city: City, language: str) -> None:
        self.morning, self.city, self.language = morning, city, language
        self.overview = morning.overview
        self.prose = Prose(morning, city, language)
        self.say = self.prose.say
        self._out = io.BytesIO()
        self.file = xlsxwriter.Workbook(
            self._out,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.file.set_properties(
            {
                "title": self.prose.title(),
                "author": "Lawang Jabo",
                "created": morning.made_at.astimezone(city.timezone).replace(tzinfo=None),
            }
        )
        self._forms: dict[str, Any] = {}

    def make(self) -> bytes:
        """All sheets; the same morning gives the same bytes."""
        self._summary()
        self._indicators()
        self._dimensions()
        self._whole()
        self._finance()
        self._districts()
        self._sources()
        self.file.close()
        return self._out.getvalue()

    def form(self, name: str) -> Any:
        """A cell format by name."""
        if name not in self._forms:
            self._forms[name] = self.file.add_format({"font_size": 10, **_FORMS[name]})
        return self._forms[name]

    # --- sheets ----------------------------------------------------------------------------------

    def _summary(self) -> None:
        say, prose = self.say, self.prose
        sheet = _Sheet(self, "Ringkasan", (22, 14, 14, 14, 14, 14, 14, 40))
        sheet.put(0, prose.title(), "title")
        sheet.next()
        sheet.put(0, say("As of"), "soft")
        sheet.put(1, self.morning.at)
        sheet.put(2, say("tells of"), "soft")
        sheet.put(3, self.overview.last)
        sheet.next()
        for note in prose.notes():
            sheet.put(0, note, "note")
            sheet.next()
        sheet.next()
        for column, title in enumerate((say("Scores"), *(self._span(each) for each in Span))):
            sheet.put(column, title, "head")
        sheet.next()
        for number, roll in enumerate(self.overview.scores[SPAN]):
            sheet.put(0, self._roll_name(roll.id))
            for column, span in enumerate(Span, 1):
                sheet.put(column, self.overview.scores[span][number].score, "score")
            sheet.next()
        sheet.next()
        for paragraph in prose.paragraphs():
            sheet.put(0, paragraph.title, "bold")
            sheet.next()
            for sentence in paragraph.sentences:
                sheet.put(0, sentence)
                sheet.next()
        sheet.sheet.set_portrait()

    def _indicators(self) -> None:
        say, prose = self.say, self.prose
        widths = (24, 38, 14, 14, 12, 10, 14, 14, 9, 11, 8, 8, 8, 16, 8, 10, 10, 9, 9, 18, 12, 10)
        sheet = _Sheet(self, _INDICATORS, widths)
        sheet.head(
            (
                "id", say("Name"), say("Dimension"), say("Department"), say("Unit"),
                say("Direction"), say("Value"), say("Target"), say("Score"), say("Light"),
                say("Green from"), say("Amber from"), say("Weight"), say("Why grey"),
                say("Counts"), say("Weight that counts"), say("Weight x score"), say("Cohort"),
                say("Days known"), say("Observed"), say("Target published"), say("Simulated"),
            )
        )  # fmt: skip
        for name, line in self.overview.lines.items():
            kpi, value = line.kpi, line.values[SPAN]
            row, form = sheet.number, _form_of(kpi.unit)
            owner = self.city.opds.get(kpi.owner)
            texts = (name, prose.name(kpi), kpi.dimension, owner.name if owner else kpi.owner,
                     kpi.unit_in(prose.language), kpi.direction.value)  # fmt: skip
            for column, text in enumerate(texts):
                sheet.put(column, text)
            sheet.put(6, value.value, form)
            sheet.put(7, value.target, form)
            sheet.formula(8, _score_formula(row), value.score, "score")
            sheet.formula(9, self._light_formula(row), prose.light(value.light), "text")
            sheet.put(10, kpi.green, "score")
            sheet.put(11, kpi.amber, "score")
            sheet.put(12, kpi.weight, "score")
            sheet.put(13, self._why(value.grey))
            counts = value.counts and value.score is not None
            sheet.formula(14, f'=IF(AND(N{row}="",I{row}<>""),1,0)', int(counts), "count")
            sheet.formula(15, f"=IF(O{row}=1,M{row},0)", kpi.weight if counts else 0, "score")
            product = kpi.weight * (value.score or 0.0) if counts else 0
            sheet.formula(16, f"=IF(O{row}=1,M{row}*I{row},0)", product, "score")
            sheet.put(17, value.n, "count")
            sheet.put(18, value.days, "count")
            sheet.put(19, value.observed_at)
            sheet.put(20, self._published(kpi))
            sheet.put(21, say("yes") if line.simulated else say("no"))
            sheet.next()
        sheet.filter()
        self._last_row = sheet.row

    def _dimensions(self) -> None:
        say = self.say
        sheet = _Sheet(self, _DIMENSIONS, (16, 24, 10, 12, 10, 12, 14, 14))
        sheet.head(
            ("id", say("Name"), say("Weight"), say("Score"), say("Counts"), say("Indicators"),
             say("Weight that counts"), say("Weight x score"))
        )  # fmt: skip
        column = {name: f"{_INDICATORS}!${name}$2:${name}${self._last_row}" for name in "COPQ"}
        for roll in self.overview.scores[SPAN][1:]:
            row = sheet.number
            own = f"({column['C']}=A{row})"
            sheet.put(0, roll.id)
            sheet.put(1, self._roll_name(roll.id))
            sheet.put(2, roll.weight, "score")
            weights = f"SUMPRODUCT({own}*{column['P']})"
            sheet.formula(
                3, f'=IF({weights}=0,"",SUMPRODUCT({own}*{column["Q"]})/{weights})',
                roll.score, "score",
            )  # fmt: skip
            sheet.formula(4, f"=SUMPRODUCT({own}*{column['O']})", roll.counting, "count")
            sheet.formula(5, f"=SUMPRODUCT({own}*1)", roll.total, "count")
            known = roll.score is not None
            sheet.formula(6, f'=IF(D{row}="",0,C{row})', roll.weight if known else 0, "score")
            product = roll.weight * (roll.score or 0.0)
            sheet.formula(7, f'=IF(D{row}="",0,C{row}*D{row})', product, "score")
            sheet.next()
        self._last_dimension = sheet.row

    def _whole(self) -> None:
        say, prose = self.say, self.prose
        city = self.overview.scores[SPAN][0]
        sheet = _Sheet(self, _CITY, (34, 16))
        last = self._last_dimension
        weights = f"SUMPRODUCT({_DIMENSIONS}!$G$2:$G${last}*1)"
        sheet.put(0, say("City score, {n} days", n=city.horizon.days), "bold")
        sheet.formula(
            1, f'=IF({weights}=0,"",SUMPRODUCT({_DIMENSIONS}!$H$2:$H${last}*1)/{weights})',
            city.score, "score",
        )  # fmt: skip
        sheet.next()
        green, amber = CITY_THRESHOLDS
        words = [prose.light(each) for each in _ORDER]
        sheet.put(0, say("Light"))
        sheet.formula(
            1,
            f'=IF(B1="","{words[3]}",IF(B1>=B5-{_ROUNDING},"{words[0]}",'
            f'IF(B1>=B6-{_ROUNDING},"{words[1]}","{words[2]}")))',
            prose.light(city.light),
            "text",
        )
        sheet.next()
        for label, letter, count in (
            (say("Counts"), "E", city.counting), (say("Indicators"), "F", city.total),
        ):  # fmt: skip
            sheet.put(0, label)
            sheet.formula(1, f"=SUM({_DIMENSIONS}!${letter}$2:${letter}${last})", count, "count")
            sheet.next()
        for label, value in ((say("Green from"), green), (say("Amber from"), amber)):
            sheet.put(0, label)
            sheet.put(1, value, "score")
            sheet.next()
        sheet.put(0, say("In the {days} days before it was", days=city.horizon.days))
        sheet.put(1, city.before, "score")

    def _finance(self) -> None:
        say = self.say
        sheet = _Sheet(self, "Keuangan", (40, 20, 20, 12, 20, 12, 20, 20, 20, 20, 12, 18))
        sheet.head(
            (
                say("Item"), say("Reached"), say("Planned by then"), say("Of the plan"),
                say("Year's target"), say("Of the year"), say("Left to the year's target"),
                say("Forecast of the year"), say("Forecast, low"), say("Forecast, high"),
                say("Known up to"), say("Observed"),
            )
        )  # fmt: skip
        finance = self.overview.finance
        if finance is None:
            sheet.put(0, say("no data"))
            return
        for budget in (finance.revenue, finance.spending, finance.own_revenue, *finance.items):
            self._budget(sheet, budget)
        sheet.next()
        titles = (say("Absorption by department"), say("Spent"), say("Budget"), say("Share"),
                  say("Left"), say("Planned share"), say("Observed"))  # fmt: skip
        for column, title in enumerate(titles):
            sheet.put(column, title, "head")
        sheet.next()
        for each in finance.absorption:
            row = sheet.number
            sheet.put(0, each.name)
            sheet.put(1, each.spent, "money")
            sheet.put(2, each.budget, "money")
            sheet.formula(3, f'=IF(C{row}=0,"",B{row}/C{row})', each.share, "share")
            sheet.formula(4, f"=C{row}-B{row}", each.budget - each.spent, "money")
            sheet.put(5, each.due, "share")
            sheet.put(6, each.observed_at)
            sheet.next()
        sheet.next()
        if finance.cash is not None:
            sheet.put(0, say("Cash"))
            sheet.put(1, finance.cash.value, "money")
            sheet.put(2, finance.cash.observed_at)
            sheet.next()
        if (silpa := finance.silpa) is not None:
            first = sheet.number
            for label, amount in (
                (say("Revenue"), silpa.revenue), (say("Spending"), silpa.spending),
                (say("Net financing"), silpa.financing),
            ):  # fmt: skip
                sheet.put(0, label)
                sheet.put(1, amount, "money")
                sheet.put(2, silpa.until)
                sheet.next()
            sheet.put(0, say("Running surplus (SiLPA)"), "bold")
            sheet.formula(1, f"=B{first}-B{first + 1}+B{first + 2}", silpa.value, "money")
            sheet.put(2, silpa.until)

    def _budget(self, sheet: _Sheet, budget: Budget) -> None:
        row, value = sheet.number, budget.value
        reached, target, year = value.value, value.target, budget.target_year
        sheet.put(0, self.prose.name(self.overview.lines[budget.kpi].kpi))
        sheet.put(1, reached, "money")
        sheet.put(2, target, "money")
        sheet.formula(3, f'=IF(OR(B{row}="",N(C{row})=0),"",B{row}/C{row})',
                      _by(reached, target), "share")  # fmt: skip
        sheet.put(4, year, "money")
        sheet.formula(5, f'=IF(OR(B{row}="",N(E{row})=0),"",B{row}/E{row})',
                      _by(reached, year), "share")  # fmt: skip
        left = None if reached is None or year is None else year - reached
        sheet.formula(6, f'=IF(OR(B{row}="",E{row}=""),"",E{row}-B{row})', left, "money")
        if (forecast := budget.forecast) is not None:
            sheet.put(7, forecast.value, "money")
            sheet.put(8, forecast.low, "money")
            sheet.put(9, forecast.high, "money")
            sheet.put(10, forecast.until)
        sheet.put(11, value.observed_at)
        sheet.next()

    def _districts(self) -> None:
        say = self.say
        sheet = _Sheet(self, "Kecamatan", (14, 24, 14, 14, 14, 10, 30))
        districts = self.overview.districts
        if districts is None:
            sheet.put(0, say("no data"))
            return
        kpi = self.overview.lines[districts.kpi].kpi
        sheet.put(0, self.prose.name(kpi), "bold")
        sheet.next()
        sheet.head(
            (say("Code"), say("Name"), say("Value"), say("Interval, low"), say("Interval, high"),
             say("Cohort"), say("Against the rest of the city"))
        )  # fmt: skip
        words = {
            Standing.BETTER: say("better"),
            Standing.WORSE: say("worse"),
            Standing.SAME: say("no more than chance explains"),
            Standing.FEW: say("too few records"),
        }
        form = _form_of(kpi.unit)
        for each in districts.rows:
            sheet.put(0, each.code)
            sheet.put(1, each.name)
            sheet.put(2, each.value.value, form)
            sheet.put(3, each.low, form)
            sheet.put(4, each.high, form)
            sheet.put(5, each.value.n, "count")
            sheet.put(6, words[each.standing])
            sheet.next()
        sheet.filter()

    def _sources(self) -> None:
        say = self.say
        sheet = _Sheet(self, "Sumber", (24, 40, 22, 14, 18, 18, 12, 12, 30))
        sheet.head(
            ("id", say("Name"), say("Department"), say("Health"), say("Last read"),
             say("Hours not read at night"), say("Failed"), say("Simulated"), say("Indicators"))
        )  # fmt: skip
        words = {
            Health.FRESH: say("fresh"), Health.LATE: say("late"), Health.STALE: say("stale"),
            Health.DOWN: say("down"), Health.NEVER: say("never read"),
            Health.REFUSED: say("refused"),
        }  # fmt: skip
        used: dict[str, int] = {}
        for kpi in self.city.kpis.values():
            for name in sources_of(kpi.formula) or tuple(self.city.sources):
                used[name] = used.get(name, 0) + 1
        for each in self.morning.sources:
            source = self.city.sources[each.source]
            opd = self.city.opds.get(source.opd)
            sheet.put(0, source.id)
            sheet.put(1, source.name)
            sheet.put(2, opd.name if opd else source.opd)
            sheet.put(3, None if each.health is None else words[each.health])
            sheet.put(4, each.last_success)
            sheet.put(5, each.down_s / 3600, "figure")
            sheet.put(6, say("yes") if each.failed else say("no"))
            sheet.put(7, say("yes") if source.simulated else say("no"))
            sheet.put(8, used.get(source.id, 0), "count")
            sheet.next()
        sheet.filter()

    # --- cells -----------------------------------------------------------------------------------

    def _light_formula(self, row: int) -> str:
        green, amber, red, grey = (self.prose.light(each) for each in _ORDER)
        return (
            f'=IF(OR(N{row}<>"",I{row}=""),"{grey}",IF(I{row}>=K{row}-{_ROUNDING},"{green}",'
            f'IF(I{row}>=L{row}-{_ROUNDING},"{amber}","{red}")))'
        )

    def _why(self, grey: Grey | None) -> str | None:
        say = self.say
        return {
            None: None,
            Grey.NO_DATA: say("no data"),
            Grey.STALE: say("data too old"),
            Grey.FEW: say("too few records"),
            Grey.NO_TARGET: say("no target"),
        }[grey]

    def _published(self, kpi: Kpi) -> str | None:
        say = self.say
        if kpi.target is None:
            return None
        return say("no, simulated") if kpi.simulated_target else say("yes")

    def _roll_name(self, name: str) -> str:
        return self.prose.dimension(name) if name else clean(self.city.name)

    def _span(self, span: Span) -> str:
        say, days = self.say, self.overview.scores[span][0].horizon.days
        names = {Span.DAY: say("day"), Span.WEEK: say("week"), Span.YEAR: say("year")}
        return names.get(span) or say("{n} days", n=days)


def _score_formula(row: int) -> str:
    """The rule of `score_of`, over value (G) and target (H) and the direction (F)."""
    value, target, most = f"G{row}", f"H{row}", SCORE_MAX
    up = (
        f"IF({target}=0,IF({value}=0,1,IF({value}>0,{most},0)),MAX(0,MIN({most},{value}/{target})))"
    )
    down = f"IF({value}<=0,IF({value}={target},1,{most}),MAX(0,MIN({most},{target}/{value})))"
    return f'=IF(OR({value}="",{target}=""),"",IF(F{row}="{Direction.UP.value}",{up},{down}))'


def _form_of(unit: str) -> str:
    if unit == "%":
        return "share"
    return "money" if unit.startswith("Rp") else "figure"


def _by(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other


#: The lights as the formulas name them.
_ORDER = (Light.GREEN, Light.AMBER, Light.RED, Light.GREY)
_FORMS: dict[str, dict[str, Any]] = {
    "text": {},
    "soft": {"font_color": "#5C6876"},
    "bold": {"bold": True},
    "title": {"bold": True, "font_size": 14},
    "note": {"bold": True, "font_color": "#8A5A00"},
    "head": {"bold": True, "bg_color": "#E6EBF0", "text_wrap": True, "valign": "top", "border": 1},
    "score": {"num_format": "0.00"},
    "count": {"num_format": "#,##0"},
    "figure": {"num_format": "#,##0.0#"},
    "share": {"num_format": "0.0%"},
    "money": {"num_format": '"Rp"#,##0;-"Rp"#,##0'},
    "day": {"num_format": "d mmm yyyy", "align": "left"},
    "moment": {"num_format": "d mmm yyyy hh:mm", "align": "left"},
}
