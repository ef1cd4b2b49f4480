"""Cells of a database become JSON without losing anything."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from connectors.sql.values import LONGEST_BYTES, UnreadableValue, write_row


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("249000000000.00"), "249000000000"),
        (Decimal("1234567890123456789.25"), "1234567890123456789.25"),
        (Decimal("0.10"), "0.10"),
        (Decimal("-1E+3"), "-1000"),
        (Decimal("NaN"), "null"),
        (Decimal("Infinity"), '"inf"'),
        (2**70, str(2**70)),
        (float("nan"), "null"),
        (True, "true"),
        (date(2026, 11, 21), '"2026-11-21"'),
        (datetime(2026, 11, 21, 8, 5), '"2026-11-21T08:05:00"'),
        (datetime(2026, 11, 21, 8, 5, tzinfo=UTC), '"2026-11-21T08:05:00+00:00"'),
        (time(8, 5), '"08:05:00"'),
        (timedelta(hours=2), "7200.0"),
        (UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        (b"puskesmas", '"puskesmas"'),
        (memoryview(b"\xff\x01"), '"ff01"'),
        ([Decimal("1.5"), {"a": date(2026, 1, 1)}], '[1.5,{"a":"2026-01-01"}]'),
        ("\ud800x", '"?x"'),
    ],
)
def test_a_value_is_written_faithfully(value: Any, written: str) -> None:
    assert write_row({"v": value}).decode() == f'{{"v":{written}}}'


def test_a_number_of_any_size_is_readable_again() -> None:
    assert json.loads(write_row({"v": 10**900}))["v"] == 10**900


def test_a_picture_in_a_cell_is_refused_by_its_column() -> None:
    with pytest.raises(UnreadableValue, match="foto"):
        write_row({"foto": b"\xff" * (LONGEST_BYTES + 1)})
