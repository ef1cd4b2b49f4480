"""Every indicator worked out a second time: pandas over raw tables, and kpi.toml as plain data.

Nothing of the engine is used here. What a rule means is written out once more, from
docs/indicators.md, so that a mistake in one of the two shows.
"""

from __future__ import annotations

import calendar
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import holidays
import pandas as pd

Table = dict[str, Any]
_CAP = 1.5
_ONE = timedelta(days=1)
_SPANS = {"day": 1, "week": 7, "month": 30, "quarter": 91}


@dataclass(frozen=True)
class Outcome:
    """One indicator over one horizon."""

    value: float | None
    target: float | None
    score: float | None
    n: int
    grey: str | None


def read_pack(file: Path) -> Table:
    """kpi.toml as it stands."""
    return tomllib.loads(file.read_text("utf-8"))


# --- horizons, targets and scores ----------------------------------------------------------------


def horizon(span: str, last: date) -> pd.DatetimeIndex:
    """The days of a horizon."""
    first = date(last.year, 1, 1) if span == "year" else last - (_SPANS.get(span, 1) - 1) * _ONE
    return pd.date_range(first, last)


def end_before(span: str, last: date) -> date:
    """The last day of the equal horizon before; a year ago is the same date, in leap years too."""
    if span != "year":
        return last - len(horizon(span, last)) * _ONE
    before: date = (pd.Timestamp(last) - pd.DateOffset(years=1)).date()
    return before


def end_of(day: date) -> pd.Timestamp:
    """The instant at which a local day is over."""
    return _end_of(pd.Timestamp(day))


def outcome(
    kpi: Table,
    curves: Table,
    facts: pd.DataFrame,
    span: str,
    last: date,
    now: pd.Timestamp,
    city: pd.DataFrame | None = None,
) -> Outcome:
    """`facts` are the daily rows of one indicator and region: day, num, den, n, observed_at.

    With the rows of the `city` they are those of a kecamatan: an amount has no target there, and
    what is counted is as fresh as in the city.
    """
    known = _known(kpi, facts, span, last)
    if known.empty:
        return Outcome(None, None, None, 0, "no_data")
    num, den = math.fsum(known["num"]), math.fsum(known["den"])
    value = num if kpi["combine"] == "sum" else (num / den if den else None)
    target: float | None = None
    if kpi["combine"] == "sum" and city is None:
        target = amount(kpi["target"], curves, [day.date() for day in known["day"]])
    elif kpi["combine"] != "sum":
        target = level(kpi["target"], curves, known["day"].max().date())
    points = None
    if value is not None and target is not None:
        points = score(kpi["direction"], value, target)
    count = int(known["n"].sum())
    seen = known["observed_at"].max()
    if city is not None and kpi["combine"] != "last":
        seen = _known(kpi, city, span, last)["observed_at"].max()
    grey = None
    if value is None:
        grey = "no_data"
    elif now - seen > pd.Timedelta(days=kpi["stale_after_days"]):
        grey = "stale"
    elif count < kpi["minimum"]:
        grey = "few"
    elif target is None:
        grey = "no_target"
    return Outcome(value, target, points, count, grey)


def _known(kpi: Table, facts: pd.DataFrame, span: str, last: date) -> pd.DataFrame:
    """The rows of a horizon, or for a state the newest one by its end."""
    days = horizon(span, last)
    if kpi["combine"] == "last":
        return facts[facts["day"] <= days[-1]].sort_values("day").tail(1)
    return facts[facts["day"].isin(days)]


def score(direction: str, value: float, target: float) -> float:
    """What was not asked for (a Sunday's part of a curve by working days) is surpassed by anything;
    where less is better, nought or less is best of all, and met where nought was asked for."""
    if value == target == 0:
        return 1.0
    if direction == "up":
        quotient = value / target if target else math.copysign(math.inf, value)
        return min(_CAP, max(0.0, quotient))
    return _CAP if value <= 0 else min(_CAP, max(0.0, target / value))


def level(target: Table, curves: Table, day: date) -> float | None:
    """What a state or a share is held to on a day."""
    whole = _of_year(target, day.year)
    if whole is None or "curve" not in target:
        return whole
    return whole * share(curves[target["curve"]], day)


def amount(target: Table, curves: Table, days: Sequence[date]) -> float | None:
    """What belongs to some days: of each unbroken stretch within a year, its part of the year."""
    stretches: list[list[date]] = []
    for day in sorted(days):
        if stretches and stretches[-1][-1] + _ONE == day and day.year == stretches[-1][-1].year:
            stretches[-1].append(day)
        else:
            stretches.append([day])
    parts = []
    for stretch in stretches:
        first, last = stretch[0], stretch[-1]
        whole = _of_year(target, first.year)
        if whole is None:
            return None
        curve = curves[target["curve"]]
        before = 0.0 if (first.month, first.day) == (1, 1) else share(curve, first - _ONE)
        parts.append(whole * (share(curve, last) - before))
    return math.fsum(parts)


def _of_year(target: Table, year: int) -> float | None:
    if "years" in target:
        found = target["years"].get(str(year))
        return None if found is None else float(found)
    return float(target["level"] if "level" in target else target["year"])


def share(curve: Table, day: date) -> float:
    """The cumulative share of a year by the end of a day, straight between the points."""
    if "share" in curve:
        ends = [
            date(day.year, month, calendar.monthrange(day.year, month)[1]) for month in range(1, 13)
        ]
        points = list(zip(ends, curve["share"], strict=True))
    else:
        points = [(date.fromisoformat(f"{day.year}-{text}"), at) for text, at in curve["points"]]
    before = (date(day.year - 1, 12, 31), 0.0)
    for point in points:
        if day <= point[0]:
            counts = _is_working if curve.get("working_days") else bool
            passed = sum(counts(each) for each in _days(before[0], day))
            whole = sum(counts(each) for each in _days(before[0], point[0]))
            return float(before[1] + (point[1] - before[1]) * (passed / whole))
        before = point
    raise AssertionError("a curve ends on 31 December")


def _days(after: date, until: date) -> Iterable[date]:
    return (after + number * _ONE for number in range(1, (until - after).days + 1))


_HOLIDAYS = holidays.country_holidays("ID")


def _is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in _HOLIDAYS


# --- roll-up -------------------------------------------------------------------------------------


def roll_up(pack: Table, outcomes: Mapping[str, Outcome]) -> dict[str, float]:
    """The score of each dimension that has one, and of the city under ""."""
    rows = pd.DataFrame(
        [
            (name, kpi["dimension"], kpi["weight"], outcomes[name].score)
            for name, kpi in pack["kpi"].items()
            if outcomes[name].grey is None
        ],
        columns=["kpi", "dimension", "weight", "score"],
    )
    found = {
        str(name): float((own["weight"] * own["score"]).sum() / own["weight"].sum())
        for name, own in rows.groupby("dimension")
    }
    weights = {name: pack["dimensions"][name]["weight"] for name in found}
    if weights:
        found[""] = sum(weights[name] * found[name] for name in weights) / sum(weights.values())
    return found


def drivers(
    pack: Table, after: Mapping[str, Outcome], before: Mapping[str, Outcome]
) -> dict[str, dict[str, float]]:
    """What each indicator did to the score of each dimension and of the city ("").

    Each is credited with its part of the score, measured from half-way between both scores.
    """
    sides = [(_parts(pack, each), roll_up(pack, each)) for each in (after, before)]
    (now, now_scores), (then, then_scores) = sides
    found = {}
    for name in now_scores.keys() & then_scores.keys():
        middle = (now_scores[name] + then_scores[name]) / 2
        column = "of_city" if name == "" else "of_dimension"
        came, went = (
            each if name == "" else each[each["dimension"] == name] for each in (now, then)
        )
        gained = came[column] * (came["score"] - middle)
        lost = went[column] * (went["score"] - middle)
        found[name] = gained.sub(lost, fill_value=0.0).to_dict()
    return found


def _parts(pack: Table, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """The indicators that count, each with its part of its dimension and of the city."""
    rows = pd.DataFrame.from_dict(
        {
            name: (kpi["dimension"], float(kpi["weight"]), outcomes[name].score)
            for name, kpi in pack["kpi"].items()
            if outcomes[name].grey is None
        },
        orient="index",
        columns=["dimension", "weight", "score"],
    )
    own = rows["weight"] / rows.groupby("dimension")["weight"].transform("sum")
    whole = {name: pack["dimensions"][name]["weight"] for name in rows["dimension"].unique()}
    share = rows["dimension"].map(whole).astype(float) / sum(whole.values())
    return rows.assign(of_dimension=own, of_city=own * share)


# --- daily facts ---------------------------------------------------------------------------------

_COLUMNS = ["region", "day", "num", "den", "n", "observed_at"]
_ZONE = "Asia/Jakarta"
_TICK = pd.Timedelta(microseconds=1)
#: Status words by how far a report has come.
_PROGRESS = {"menunggu": 0, "koordinasi": 1, "disposisi": 2, "proses": 3, "selesai": 4}
_OVER = ("selesai", "ditolak")


@dataclass(frozen=True)
class Raw:
    """The raw tables of an installation, and what its pack says of sources, as plain data.

    `sources` are the files in sources/, by id; times are UTC timestamps; `first` and `last` are
    the local days wanted.
    """

    tables: Mapping[str, pd.DataFrame]
    sources: Mapping[str, Table]
    opds: Sequence[str]
    kecamatan: Sequence[str]
    now: pd.Timestamp
    first: pd.Timestamp
    last: pd.Timestamp


def daily(kpi: Table, raw: Raw) -> pd.DataFrame:
    """The daily rows of one indicator: region ("" the city), day, num, den, n, observed_at."""
    value = kpi["value"]
    kind = value["kind"]
    if kind == "reading":
        rows = _gather(_cells(value, raw), value.get("across", "sum"), kpi["combine"])
    elif kind == "reading_ratio":
        rows = _ratio(value, raw, kpi["combine"])
    elif kind == "source_quality":
        rows = _quality(value, raw)
    else:
        rows = _counted(value, raw)
    return rows[rows["day"].between(raw.first, raw.last)].reset_index(drop=True)


def _local_day(times: pd.Series) -> pd.Series:
    return times.dt.tz_convert(_ZONE).dt.normalize().dt.tz_localize(None)


def _end_of(day: pd.Timestamp) -> pd.Timestamp:
    return (day + pd.Timedelta(days=1)).tz_localize(_ZONE).tz_convert("UTC")


def _period(at: pd.Timestamp, period: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last local day of the period around an instant."""
    day = at.tz_convert(_ZONE).normalize().tz_localize(None)
    if period == "week":
        first = day - pd.Timedelta(days=day.weekday())
        return first, first + pd.Timedelta(days=6)
    if period == "month":
        first = day.replace(day=1)
        return first, first + pd.offsets.MonthEnd(0)
    if period == "year":
        return day.replace(month=1, day=1), day.replace(month=12, day=31)
    return day, day


def _cells(part: Table, raw: Raw) -> pd.DataFrame:
    """What each subject comes to on each day: subject, kecamatan, day, value, n, observed_at."""
    measure = raw.sources[part["source"]]["measures"][part["measure"]]
    series = raw.tables["series"]
    series = series[
        (series["source_id"] == part["source"]) & (series["measure"] == part["measure"])
    ]
    if part.get("subjects"):
        series = series[series["subject"].isin(part["subjects"])]
    readings = raw.tables["reading"]
    readings = readings[readings["held"] == ""].merge(
        series[["id", "subject", "kecamatan"]], left_on="series_id", right_on="id"
    )
    readings = readings.sort_values(["subject", "at"])
    period = measure.get("period", "instant")
    kind = measure.get("kind", "gauge")
    if kind == "cumulative":
        rows = _cumulative(readings, measure, part.get("within"))
    elif period in ("week", "month", "year"):
        rows = _spread(readings, kind, period)
    else:
        usual = {"flow": "sum", "gauge": "mean", "stock": "last"}[kind]
        rows = _of_a_day(readings, part.get("within") or usual)
    return pd.DataFrame(rows, columns=["subject", "kecamatan", "day", "value", "n", "observed_at"])


def _of_a_day(readings: pd.DataFrame, way: str) -> list[tuple[Any, ...]]:
    ways: dict[str, Callable[[Any], float]] = {
        "sum": math.fsum,
        "mean": lambda values: math.fsum(values) / len(values),
        "last": lambda values: values.iloc[-1],
        "max": max,
        "min": min,
    }
    days = _local_day(readings["at"])
    return [
        (subject, own["kecamatan"].iloc[0], day, ways[way](own["value"]), len(own),
         own["observed_at"].max())
        for (subject, day), own in readings.groupby(["subject", days])
    ]  # fmt: skip


def _last_known(row: Any, period: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The local days that a reading is about, no later than when it was observed."""
    first, last = _period(row.at, period)
    if period == "instant":
        return first, first
    seen = (row.observed_at - _TICK).tz_convert(_ZONE).normalize().tz_localize(None)
    return first, min(last, max(first, seen))


def _spread(readings: pd.DataFrame, kind: str, period: str) -> list[tuple[Any, ...]]:
    rows = []
    for row in readings.itertuples():
        first, last = _period(row.at, period)
        value = row.value
        if kind == "flow":
            first, last = _last_known(row, period)
            value = row.value / len(pd.date_range(first, last))
        rows += [
            (row.subject, row.kecamatan, day, value, 1, row.observed_at)
            for day in pd.date_range(first, last)
        ]
    return rows


def _cumulative(
    readings: pd.DataFrame, measure: Table, within: str | None
) -> list[tuple[Any, ...]]:
    period = measure.get("period", "instant")
    found: dict[tuple[str, pd.Timestamp], list[Any]] = {}
    for _, own in readings.groupby("subject"):
        before: Any = None
        for row in own.itertuples():
            first, last = _last_known(row, period)
            if within == "last":
                cell = found.setdefault((row.subject, last), [row, 0.0, 0, row.observed_at])
                cell[1], cell[2], cell[3] = row.value, cell[2] + 1, row.observed_at
                continue
            began = _period(row.at, measure["resets"])[0]
            if before is not None and _period(before.at, measure["resets"])[0] == began:
                amount_ = row.value - before.value
                first = min(_last_known(before, period)[1] + pd.Timedelta(days=1), last)
            else:
                amount_, first = row.value, began
            days = pd.date_range(first, last)
            for day in days:
                cell = found.setdefault((row.subject, day), [row, 0.0, 0, row.observed_at])
                cell[1] += amount_ / len(days)
                cell[2] += 1
                cell[3] = max(cell[3], row.observed_at)
            before = row
    return [
        (subject, row.kecamatan, day, value, count, seen)
        for (subject, day), (row, value, count, seen) in found.items()
    ]


def _regions(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells twice: for the city, and for the kecamatan of those that have one."""
    return pd.concat(
        [cells.assign(region=""), cells[cells["kecamatan"].notna()].assign(
            region=lambda frame: frame["kecamatan"])]
    )  # fmt: skip


def _gather(cells: pd.DataFrame, across: str, combine: str) -> pd.DataFrame:
    rows = []
    for (region, day), own in _regions(cells).groupby(["region", "day"]):
        values = list(own["value"])
        num, den = math.fsum(values), 1.0
        if across in ("max", "min"):
            num = max(values) if across == "max" else min(values)
        elif across == "mean":
            num, den = (num / len(values), 1.0) if combine == "sum" else (num, float(len(values)))
        rows.append((region, day, num, den, own["n"].sum(), own["observed_at"].max()))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _ratio(value: Table, raw: Raw, combine: str) -> pd.DataFrame:
    over, under = (_cells(value[name], raw) for name in ("numerator", "denominator"))
    both = over[["subject", "day"]].merge(under[["subject", "day"]])
    sides = [
        _gather(cells.merge(both), value[name].get("across", "sum"), combine)
        for name, cells in (("numerator", over), ("denominator", under))
    ]
    rows = sides[0].merge(sides[1], on=["region", "day"], suffixes=("", "_under"))
    return rows.assign(
        num=rows["num"] / rows["den"],
        den=rows["num_under"] / rows["den_under"],
        observed_at=rows[["observed_at", "observed_at_under"]].min(axis=1),
    )[_COLUMNS]


def _counted(value: Table, raw: Raw) -> pd.DataFrame:
    """Incidents and service requests."""
    is_request = value["kind"].startswith("request")
    table = raw.tables["service_request" if is_request else "incident"]
    all_of = table[table["source_id"].isin(value["sources"])]
    rows = all_of
    wanted = value.get("services" if is_request else "categories")
    if wanted:
        rows = rows[rows["service" if is_request else "category"].isin(wanted)]
    by = "requested_at"
    if value["kind"] in ("incident_hours", "request_minutes"):
        by = "closed_at"
        rows = rows[rows[by].notna()]
    judged = _judge(value, rows, raw)
    rows = rows.assign(judged=judged, day=_local_day(rows[by]))[judged.notna()]
    found = [
        (region, day, math.fsum(own["judged"]), float(len(own)), len(own), own["observed_at"].max())
        for (region, day), own in _regions(rows).groupby(["region", "day"])
    ]
    facts = pd.DataFrame(found, columns=_COLUMNS)
    return _with_quiet_days(facts, all_of, raw, counts=value["kind"].endswith("_count"))


def _judge(value: Table, rows: pd.DataFrame, raw: Raw) -> pd.Series:
    """What each record adds to the numerator; missing where it is not in the cohort."""
    kind, what = value["kind"], value.get("what")
    closed, due = rows["closed_at"], rows["due_at"]
    took_s = (closed - rows["requested_at"]).dt.total_seconds()
    if kind in ("incident_count", "request_count"):
        return pd.Series(1.0, rows.index)
    if kind == "incident_hours":
        return (took_s / 3600).where(took_s >= 0)
    if kind == "incident_share":
        if what == "reopened":
            cohort = closed.notna() | (rows["reopened"] > 0)
            return (rows["reopened"] > 0).astype(float).where(cohort)
        rejected = rows["status"] == "ditolak"
        if what == "verified":
            verified = closed.notna() & rows["verified_at"].notna()
            by = closed.map(lambda at: _verify_by(at, value.get("verify_days", 10)))
            decided = (rows["reopened"] > 0) | (by < raw.now)
            telling = rows["source_id"].isin(
                [name for name, file in raw.sources.items()
                 if "verified_at" in file.get("fields", {})]
            )  # fmt: skip
            return verified.astype(float).where(telling & decided & ~rejected)
        decidable = due.notna() & (closed.notna() | (due < raw.now))
        if what == "claimed":
            return closed.notna().astype(float).where(decidable & ~rejected)
        good = closed.notna() if what == "closed" else closed <= due
        return good.astype(float).where(decidable)
    if kind == "within_minutes":
        return _reached(value, rows, raw)
    over = rows["status"].isin(_OVER)
    mine = rows["status"] != "dibatalkan"
    if kind == "request_minutes":
        return (took_s / 60).where(mine & over & (took_s >= 0))
    if what == "rejected":
        return (rows["status"] == "ditolak").astype(float).where(mine & over)
    overdue = ~over & (due < raw.now)
    if what == "done":
        return (rows["status"] == "selesai").astype(float).where(mine & (over | overdue))
    known = (over & closed.notna()) | overdue
    return (over & (closed <= due)).astype(float).where(mine & due.notna() & known)


def _verify_by(closed: pd.Timestamp, days: int) -> pd.Timestamp:
    """The end of the last working day on which a closing may still be verified."""
    if pd.isna(closed):
        return closed
    day = closed.tz_convert(_ZONE).normalize().tz_localize(None)
    while days:
        day += pd.Timedelta(days=1)
        days -= _is_working(day.date())
    return _end_of(day) - pd.Timedelta(seconds=1)


def _reached(value: Table, rows: pd.DataFrame, raw: Raw) -> pd.Series:
    events = raw.tables["incident_event"]
    least = _PROGRESS[value["status"]]
    far = events[events["status"].map(_PROGRESS).fillna(-1) >= least]
    first = far.sort_values(["incident_id", "version"]).groupby("incident_id")["at"].first()
    limit = pd.Timedelta(minutes=value["minutes"])
    at = rows["id"].map(first)
    decidable = at.notna() | (rows["requested_at"] + limit < raw.now)
    return (
        (at - rows["requested_at"] <= limit)
        .astype(float)
        .where(decidable & (rows["status"] != "ditolak"))
    )


def _with_quiet_days(
    facts: pd.DataFrame, records: pd.DataFrame, raw: Raw, *, counts: bool
) -> pd.DataFrame:
    """Days on which nothing happened are nought for a count, once every source was heard since."""
    by_source = records.groupby("source_id")
    first = _local_day(by_source["requested_at"].min()).max()
    last = (_local_day(by_source["fetched_at"].max()) - pd.Timedelta(days=1)).min()
    known = {(row.region, row.day): row for row in facts.itertuples()}
    rows = []
    for day in pd.date_range(first, min(last, raw.last)):
        for region in ("", *raw.kecamatan) if counts else ("",):
            own = known.pop((region, day), None)
            end = _end_of(day)
            if own is None:
                rows.append((region, day, 0.0, 1.0 if counts else 0.0, 0, end))
            else:
                seen = max(own.observed_at, end)
                rows.append((region, day, own.num, 1.0 if counts else own.den, own.n, seen))
    if not counts:
        rows += [
            (row.region, row.day, row.num, row.den, row.n, row.observed_at)
            for row in known.values()
        ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _quality(value: Table, raw: Raw) -> pd.DataFrame:
    tallies = raw.tables["source_tally"]
    tallies = tallies.assign(day=_local_day(tallies["bucket"]))
    begun = tallies.groupby("source_id")["bucket"].min()
    sums = tallies.groupby(["source_id", "day"]).sum(numeric_only=True)
    rows = []
    for day in pd.date_range(tallies["day"].min(), raw.last):
        end = _end_of(day)
        start = end - pd.Timedelta(days=1)

        def figures(source: str, day: Any = day, start: Any = start, end: Any = end) -> Any:
            own = sums.loc[(source, day)] if (source, day) in sums.index else None
            due = (end - max(start, begun[source])).total_seconds() / _every_s(raw, source)
            if own is None:
                return due, 0.0, 0.0, 0.0, 0.0, 0.0
            wrong = min(own["records"], own["unusable"] + own["unknown"])
            return (due, min(own["polls"], due), own["records"] - wrong, own["records"],
                    own["filled"], own["fillable"])  # fmt: skip

        heard = [each for each in value.get("sources") or raw.sources if begun.get(each, end) < end]
        if value["what"] == "integrated":
            stages = [_is_integrated(opd, raw, heard, figures) for opd in raw.opds]
            rows.append(("", day, float(sum(stages)), float(len(stages)), len(stages), end))
            continue
        nums, dens = [], []
        for source in heard:
            due, polls, valid, records, filled, fillable = figures(source)
            num, den = {
                "timeliness": (polls, due),
                "validity": (valid, records),
                "completeness": (filled, fillable),
            }[value["what"]]
            if den > 0:
                nums.append(num)
                dens.append(den)
        if dens:
            count = sum(round(den) for den in dens)
            rows.append(("", day, math.fsum(nums), math.fsum(dens), count, end))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _every_s(raw: Raw, source: str) -> float:
    """The demonstration polls by the cadence under [simulated], where there is one."""
    file = raw.sources[source]
    return float(file.get("simulated", {}).get("every_s", file["every_s"]))


def _is_integrated(opd: str, raw: Raw, heard: Sequence[str], figures: Any) -> bool:
    own = [name for name, file in raw.sources.items() if file["opd"] == opd]
    if not own or all(raw.sources[name]["connector"] == "tabular" for name in own):
        return False
    for name in own:
        if name not in heard:
            return False
        due, polls, valid, records, *_ = figures(name)
        if (due >= 1 and polls < 0.9 * due) or (records and valid < 0.95 * records):
            return False
    return True
