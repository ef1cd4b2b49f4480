"""Rows of any shape become reports; what cannot be used is a reject, and nothing is an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lawang.connector import Parsed
from lawang.domain.incident import Report
from lawang.mapping import Fields, Formats, RowOptions, check_expression, map_rows, search

# A busy machine is no mistake in what is tested.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_WHEN = "2026-11-20T08:15:00+07:00"
_MOMENT = datetime(2026, 11, 20, 1, 15, tzinfo=UTC)
_NAMES = tuple(each.name for each in dataclasses.fields(Report))
_FIELDS = Fields.model_validate({name: name for name in _NAMES})


def map_reports(rows: Sequence[object], fields: Fields, formats: Formats) -> Parsed:
    return map_rows(rows, RowOptions(fields=fields, formats=formats))


def _one(row: dict[str, Any], formats: Formats | None = None, **fields: str) -> Report:
    chosen = Fields.model_validate({"external_id": "id", "requested_at": "at"} | fields)
    parsed = map_reports([{"id": 1, "at": _WHEN} | row], chosen, formats or Formats())
    (report,) = parsed.reports
    return report


def _read_time(text: object, *forms: str) -> datetime | None:
    formats = Formats.model_validate({"times": forms})
    return _one({"changed": text}, formats, updated_at="changed").updated_at


def test_every_field_is_read_from_where_its_expression_points() -> None:
    times = {"requested_at", "updated_at", "due_at", "closed_at", "verified_at"}
    numbers = {"latitude": -2.9, "longitude": 104.7}
    row = {name: _WHEN if name in times else name for name in _NAMES} | numbers
    row["media_url"] = "https://x.example/1.jpg"
    (report,) = map_reports([row], _FIELDS, Formats()).reports
    expected = {name: _MOMENT if name in times else row[name] for name in _NAMES}
    assert {name: getattr(report, name) for name in _NAMES} == expected


def test_expressions_reach_into_objects_and_lists() -> None:
    row = {"where": {"point": [104.7, -2.9]}, "history": [{"s": "baru"}, {"s": "proses"}]}
    report = _one(
        row, latitude="where.point[1]", longitude="where.point[0]", status="history[-1].s"
    )
    assert (report.latitude, report.longitude, report.status) == (-2.9, 104.7, "proses")


def test_what_is_not_named_is_not_read() -> None:
    report = _one({"description": "Budi", "status": "baru", "name": "Budi"})
    assert (report.description, report.status) == ("", None)
    assert "Budi" not in repr(report)


def test_zero_is_not_missing() -> None:
    report = _one({"lat": 0, "status": 0}, latitude="lat", status="status")
    assert (report.latitude, report.status) == (0.0, "0")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("20/11/2026 08.15", "%d/%m/%Y %H.%M"),
        ("20-11-26 08:15", "%d-%m-%y %H:%M"),
        ("20 November 2026 08:15 WIB", "%d %B %Y %H:%M WIB"),
        ("20 NOPEMBER 2026 08:15", "%d %B %Y %H:%M"),
        ("20 Nop 2026 08:15", "%d %b %Y %H:%M"),
        ("Jumat, 20 Nov 2026 08:15", "%A, %d %b %Y %H:%M"),
        ("20/11/2026 01:15 +0000", "%d/%m/%Y %H:%M %z"),
    ],
)
def test_a_form_of_the_department_is_read(text: str, form: str) -> None:
    assert _read_time(text, form) == _MOMENT


@pytest.mark.parametrize(
    ("month", "number"),
    [("Pebruari", 2), ("Maret", 3), ("Mei", 5), ("Agustus", 8), ("Oktober", 10), ("Desember", 12)],
)
def test_months_are_read_in_indonesian(month: str, number: int) -> None:
    assert _read_time(f"7 {month} 2026 07:00", "%d %B %Y %H:%M") == datetime(
        2026, number, 7, tzinfo=UTC
    )


@pytest.mark.parametrize("value", [1795137300, 1795137300000, "1795137300", _WHEN])
def test_epochs_and_iso_need_no_form(value: object) -> None:
    assert _read_time(value, "%d/%m/%Y") == _MOMENT


def test_the_first_form_that_fits_counts() -> None:
    forms = ("%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y")
    assert _read_time("05/06/2026", *forms) == datetime(2026, 6, 4, 17, tzinfo=UTC)


@pytest.mark.parametrize("text", ["01/01/0001", "01/01/1970", "31/12/9999", "31/02/2026", "besok"])
def test_a_placeholder_in_a_form_is_no_time(text: str) -> None:
    assert _read_time(text, "%d/%m/%Y") is None


def test_a_time_without_an_offset_is_meant_in_the_zone() -> None:
    formats = Formats.model_validate({"timezone": "Asia/Jayapura", "times": ["%d/%m/%Y %H.%M"]})
    report = _one({"at": "20/11/2026 10.15"}, formats)
    assert report.requested_at == _MOMENT


@pytest.mark.parametrize("form", ["", "tanggal", "%", "%Q", "%H:%M", "%d %B", "%Y", "%d/%m/%Y %"])
def test_a_form_that_reads_no_date_is_a_mistake(form: str) -> None:
    with pytest.raises(ValidationError):
        Formats.model_validate({"times": [form]})


@pytest.mark.parametrize("text", ["", "a.", "a[", "lenght(a)", "a || nosuch(b)", "length(a, b"])
def test_what_is_no_expression_is_a_mistake(text: str) -> None:
    with pytest.raises(ValidationError):
        Fields.model_validate({"external_id": text, "requested_at": "at"})


@pytest.mark.parametrize(
    ("expression", "row"),
    [
        ("contains('abc', a)", {"a": 1}),
        ("ceil(a)", {"a": float("inf")}),
        ("floor(a)", {"a": float("nan")}),
        ("a > b", {"a": 1, "b": "x"}),
        ("a[::0]", {"a": [1]}),
        ("sort_by(a, &b)", {"a": [{"b": 1}, {"b": "x"}]}),
        ("length(a)", {"a": 1}),
    ],
)
def test_an_expression_that_does_not_apply_finds_nothing(expression: str, row: object) -> None:
    assert search(expression, row) is None


def test_of_an_id_that_occurs_twice_the_newest_state_is_kept() -> None:
    old = {"external_id": "1", "requested_at": _WHEN, "updated_at": _WHEN, "status": "baru"}
    new = old | {"updated_at": "2026-11-20T09:00:00+07:00", "status": "selesai"}
    for rows in ([old, new], [new, old]):
        (report,) = map_reports(rows, _FIELDS, Formats()).reports
        assert report.status == "selesai"


def test_the_watermark_is_the_newest_change() -> None:
    rows = [
        {"external_id": n, "requested_at": _WHEN, "updated_at": f"2026-11-20T0{n}:00:00Z"}
        for n in (2, 5, 3)
    ]
    parsed = map_reports(rows, _FIELDS, Formats())
    assert parsed.watermark == datetime(2026, 11, 20, 5, tzinfo=UTC)


def test_without_times_of_change_there_is_no_watermark() -> None:
    row = {"external_id": 1, "requested_at": _WHEN}
    assert map_reports([row], _FIELDS, Formats()).watermark is None


@pytest.mark.parametrize(
    ("row", "reason", "external_id"),
    [
        ({"requested_at": _WHEN}, "no_id", None),
        ({"external_id": True, "requested_at": _WHEN}, "no_id", None),
        ({"external_id": "x" * 201, "requested_at": _WHEN}, "no_id", None),
        ({"external_id": "7"}, "bad_time", "7"),
        ({"external_id": "7", "requested_at": "besok"}, "bad_time", "7"),
        (None, "bad_record", None),
        ("text", "bad_record", None),
        ([1], "bad_record", None),
    ],
)
def test_a_row_that_cannot_be_used_is_a_reject(
    row: object, reason: str, external_id: str | None
) -> None:
    parsed = map_reports([row], _FIELDS, Formats())
    (reject,) = parsed.rejects
    assert (parsed.reports, reject.reason, reject.external_id) == ([], reason, external_id)


@pytest.mark.parametrize(
    "row",
    [
        ["Siti Contoh", "Jl. Mawar"],
        "Siti Contoh",
        {"external_id": {"name": "Siti Contoh"}, "description": "Siti Contoh"},
        {"external_id": 1, "requested_at": {"by": "Siti Contoh"}, "address": "Siti Contoh"},
        {"external_id": "7", "requested_at": ["Siti Contoh"]},
    ],
)
def test_a_reject_tells_nothing_of_a_person(row: object) -> None:
    (reject,) = map_reports([row], _FIELDS, Formats()).rejects
    assert "Siti" not in repr(reject)


def test_an_identity_number_in_a_reject_is_masked() -> None:
    row = {"external_id": "NIK 1671010101010001", "requested_at": "besok"}
    (reject,) = map_reports([row], _FIELDS, Formats()).rejects
    assert "1671010101010001" not in reject.sample


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
_JUNK = _JSON | st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=len(_NAMES))
_DEEP = Fields.model_validate({name: f"{name}.a[0] || {name}[1] || {name}" for name in _NAMES})
_FORMS = Formats.model_validate({"times": ["%d/%m/%Y", "%Y%m%d", "%d %B %Y %H:%M %z"]})


@_CALM
@given(st.lists(_JUNK, max_size=6), st.sampled_from([_FIELDS, _DEEP]), st.integers(0, 6))
def test_no_row_raises_and_no_good_row_is_lost(
    junk: list[object], fields: Fields, place: int
) -> None:
    good = {"external_id": "only-this-one-is-good", "requested_at": _WHEN}
    parsed = map_reports([*junk[:place], good, *junk[place:]], fields, _FORMS)
    assert "only-this-one-is-good" in {report.external_id for report in parsed.reports}


@_CALM
@given(st.lists(_JUNK, max_size=6))
def test_every_row_is_a_report_or_a_reject(rows: list[object]) -> None:
    parsed = map_reports(rows, _FIELDS, _FORMS)
    distinct = len(parsed.reports) + len(parsed.rejects)
    assert bool(rows) == bool(distinct)
    assert distinct <= len(rows)


@_CALM
@given(st.text(max_size=40) | st.from_regex(r"\d\d/\d\d/\d{4}", fullmatch=True))
def test_any_text_is_a_time_in_utc_or_none(text: str) -> None:
    moment = _read_time(text, "%d/%m/%Y", "%d %B %Y %z")
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("expression", "document", "found"),
    [
        ("split(',', a)[1]", {"a": "-2.98,104.75"}, "104.75"),
        ("split(',', a)[1]", {"a": "-2.98"}, None),
        ("split(',', a)[0]", {"a": None}, None),
        ("split('', a)[0]", {"a": "xy"}, "x"),
        ("items(a)[0]", {"a": {"k": 1}}, ["k", 1]),
        ("items(a)", {"a": [1]}, None),
    ],
)
def test_texts_can_be_split_and_objects_walked(
    expression: str, document: object, found: object
) -> None:
    assert search(check_expression(expression), document) == found


def test_a_station_named_in_each_of_its_readings_repeats_nothing() -> None:
    options = RowOptions.model_validate(
        {
            "yields": ["readings", "positions"],
            "fields": {"external_id": "id", "subject": "id", "observed_at": "at"},
            "measures": {"pm25": {"value": "v"}},
        }
    )
    rows = [{"id": "S1", "at": f"2026-11-20T0{hour}:00:00+07:00", "v": 1} for hour in range(4)]
    parsed = map_rows(rows, options)
    assert (len(parsed.measurements), len(parsed.fixes), parsed.repeated) == (4, 1, 0)


def test_a_vehicle_listed_twice_is_counted_as_repeated() -> None:
    options = RowOptions.model_validate(
        {"yields": ["positions"], "fields": {"external_id": "id", "observed_at": "at"}}
    )
    assert map_rows([{"id": "B1", "at": _WHEN}] * 2, options).repeated == 1


def test_an_end_that_has_not_come_is_no_gap_in_the_data() -> None:
    fields = Fields.model_validate(
        {"external_id": "id", "requested_at": "at", "closed_at": "end", "verified_at": "seen"}
    )
    parsed = map_reports([{"id": 1, "at": _WHEN, "end": None, "seen": ""}], fields, Formats())
    assert (parsed.filled, parsed.fillable) == (2, 2)
