"""The forecast of one kelurahan: three days in steps of three hours, as readings.

A forecast's reading is about a moment to come (`at`); it was made at its analysis (`observed_at`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.bmkg.options import BmkgOptions
from lawang.connector import Parsed
from lawang.domain.errors import RetryLater
from lawang.domain.incident import Reject
from lawang.domain.measure import Measurement
from lawang.domain.values import (
    is_missing,
    read_degrees,
    read_identity,
    read_number,
    read_time,
    read_word,
)

#: BMKG's key -> our measure, in BMKG's unit: °C, %, mm in three hours, %, km/h, °, m, their code.
MEASURES = {
    "t": "suhu",
    "tcc": "tutupan_awan",
    "tp": "hujan",
    "hu": "kelembapan",
    "ws": "angin",
    "wd_deg": "arah_angin",
    "vs": "jarak_pandang",
    "weather": "cuaca",
}
_MOST_ENTRIES = 2_000


def read_forecast(document: Any, options: BmkgOptions) -> Parsed:
    """The readings of an answer to `prakiraan-cuaca?adm4=`.

    Raises RetryLater("garbage") when it holds no `data`.
    """
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        raise RetryLater("garbage", "no list at data")
    parsed = Parsed()
    newest: datetime | None = None
    filled = fillable = 0
    for place in data:
        entries = list(_entries(place))[:_MOST_ENTRIES]
        where = _where(document, place)
        if where is None:
            parsed.rejects.append(Reject(reason="no_id", detail="lokasi.adm4 is missing"))
            continue
        for entry in entries:
            found = _read_entry(entry, where, options, parsed.rejects)
            parsed.measurements.extend(found)
            fillable += len(MEASURES)
            filled += len(found)
            stated = [each.observed_at for each in found if each.observed_at is not None]
            newest = max([*stated, *([newest] if newest else [])], default=None)
    return Parsed(
        measurements=parsed.measurements,
        rejects=parsed.rejects,
        watermark=newest,
        filled=filled,
        fillable=fillable,
    )


def _entries(place: object) -> Iterator[object]:
    """The steps of all days; they are nested by day."""
    days = place.get("cuaca") if isinstance(place, dict) else None
    for day in days if isinstance(days, list) else ():
        yield from day if isinstance(day, list) else (day,)


def _where(document: dict[str, Any], place: object) -> dict[str, Any] | None:
    """The place of a list: its own, or the one that the whole answer is about."""
    own = place.get("lokasi") if isinstance(place, dict) else None
    for found in (own, document.get("lokasi")):
        if isinstance(found, dict) and read_identity(found.get("adm4")):
            return found
    return None


def _read_entry(
    entry: object, where: dict[str, Any], options: BmkgOptions, rejects: list[Reject]
) -> list[Measurement]:
    code = read_identity(where.get("adm4")) or ""
    if not isinstance(entry, dict):
        rejects.append(
            Reject(reason="bad_record", detail="a step that is no object", external_id=code)
        )
        return []
    at = read_time(entry.get("datetime"), UTC) or read_time(entry.get("utc_datetime"), UTC)
    if at is None:
        rejects.append(
            Reject(reason="bad_time", detail="datetime is missing or unusable", external_id=code)
        )
        return []
    made_at = read_time(entry.get("analysis_date"), UTC)
    if made_at is not None and at - made_at > timedelta(hours=options.horizon_h):
        return []
    found = []
    for key, measure in MEASURES.items():
        value = read_number(entry.get(key))
        if value is None:
            if not is_missing(entry.get(key)):
                rejects.append(
                    Reject(reason="bad_value", detail=f"{key} is no number", external_id=code)
                )
            continue
        found.append(
            Measurement(
                measure=measure,
                value=value,
                at=at,
                subject=code,
                subject_name=read_word(where.get("desa")),
                observed_at=made_at,
                latitude=read_degrees(where.get("lat")),
                longitude=read_degrees(where.get("lon")),
                region=code,
            )
        )
    return found
