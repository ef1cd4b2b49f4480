"""Earthquakes: what BMKG's lists say, and how much each concerns the city.

Severity is this project's own reading, not BMKG's, and stated so in every message's facts
(`aturan`). With "near" within `radius_km` of the city and "far" within three times that:

    extreme   near and magnitude 7 or more; felt in the city at MMI VIII or more
    severe    near and 6 or more; far and 7 or more; felt at VI or more; near and tsunami potential
    moderate  near and 5 or more; far and 6 or more; felt at IV or more
    minor     anything else
    unknown   no magnitude could be read, and nobody in the city felt it
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.bmkg.options import BmkgOptions
from lawang.connector import Parsed
from lawang.domain.alert import Bulletin, Severity
from lawang.domain.errors import RetryLater
from lawang.domain.incident import Reject
from lawang.domain.privacy import mask
from lawang.domain.values import (
    read_degrees,
    read_link,
    read_number,
    read_text,
    read_time,
    read_word,
)

RULE = "tingkat menurut magnitudo, jarak dan MMI; bukan ketetapan BMKG"
_EARTH_KM = 6_371.0
_RANK = (Severity.EXTREME, Severity.SEVERE, Severity.MODERATE, Severity.MINOR)
_NEAR = ((7.0, Severity.EXTREME), (6.0, Severity.SEVERE), (5.0, Severity.MODERATE))
_FAR = ((7.0, Severity.SEVERE), (6.0, Severity.MODERATE))
_FELT = ((8, Severity.EXTREME), (6, Severity.SEVERE), (4, Severity.MODERATE))
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ROMAN = {word: number for number, word in enumerate(_NUMERALS, 1)}
_INTENSITY = re.compile(r"\b(?:X?I{1,3}|X?IV|X?VI{0,3}|IX|X)\b")
_SHAKEMAP = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
#: Words of their sentence that no tsunami is to be feared.
_NO_TSUNAMI = ("tidak", "tdk", "no ")


def read_quakes(document: Any, options: BmkgOptions) -> Parsed:
    """The earthquakes of a list, or of the one object that autogempa.json is."""
    inner = document.get("Infogempa") if isinstance(document, dict) else None
    rows = inner.get("gempa") if isinstance(inner, dict) else None
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        raise RetryLater("garbage", "no Infogempa.gempa in the answer")
    bulletins: dict[str, Bulletin] = {}
    rejects: list[Reject] = []
    for row in rows:
        read = _read_quake(row, options)
        if isinstance(read, Reject):
            rejects.append(read)
        else:
            bulletins[read.external_id] = read
    repeated = len(rows) - len(rejects) - len(bulletins)
    newest = max((each.sent_at for each in bulletins.values()), default=None)
    return Parsed(
        bulletins=list(bulletins.values()), rejects=rejects, watermark=newest, repeated=repeated
    )


def _read_quake(row: object, options: BmkgOptions) -> Bulletin | Reject:
    if not isinstance(row, dict):
        return Reject(reason="bad_record", detail="an earthquake that is no object")
    at = read_time(row.get("DateTime"), UTC)
    if at is None:
        return _reject(row, "bad_time", "DateTime is missing or unusable")
    point = _read_point(row.get("Coordinates"))
    if point is None:
        return _reject(row, "bad_place", "Coordinates are not lat,lon")
    return _tell_quake(row, at, point, options)


def _tell_quake(
    row: dict[str, Any], at: datetime, point: tuple[float, float], options: BmkgOptions
) -> Bulletin:
    """What is said of an earthquake whose time and place (latitude, longitude) are known."""
    latitude, longitude = point
    magnitude = read_number(row.get("Magnitude"))
    felt, potential = _text(row, "Dirasakan"), _text(row, "Potensi")
    region = _text(row, "Wilayah")
    away_km = _distance_km(latitude, longitude, options)
    felt_at = _felt_in(felt, options.city_names)
    facts: dict[str, str | float | None] = {
        "magnitudo": magnitude,
        "kedalaman_km": _read_depth(row.get("Kedalaman")),
        "jarak_km": None if away_km is None else round(away_km, 1),
        "dirasakan": felt,
        "potensi": potential,
        "mmi_kota": felt_at,
        "aturan": RULE,
    }
    size = f"M{magnitude:g} " if magnitude is not None else ""
    near = away_km is not None and away_km <= options.radius_km
    return Bulletin(
        # The lists overlap, and later ones correct magnitude and words: time and place stay.
        external_id=f"gempa-{at:%Y%m%dT%H%M%SZ}-{latitude:.2f},{longitude:.2f}",
        sent_at=at,
        event="Gempa bumi",
        headline=f"Gempa {size}{region}".strip(),
        severity=_judge(magnitude, away_km, felt_at, potential, options.radius_km),
        urgency="past",
        certainty="observed",
        description=" ".join(
            part for part in (region, felt and f"Dirasakan: {felt}.", potential) if part
        ),
        sender="BMKG",
        geometry={"type": "Point", "coordinates": [longitude, latitude]},
        everywhere=near or felt_at is not None,
        onset_at=at,
        expires_at=at + timedelta(hours=options.shown_h),
        link=_shakemap(row.get("Shakemap"), options.url),
        facts={name: value for name, value in facts.items() if value not in (None, "")},
    )


def _reject(row: dict[str, Any], reason: str, detail: str) -> Reject:
    return Reject(reason=reason, detail=detail, sample=_text(row, "Wilayah"))


def _text(row: dict[str, Any], name: str) -> str:
    return mask(read_text(row.get(name), 500) or "")


def _read_point(value: object) -> tuple[float, float] | None:
    parts = value.split(",") if isinstance(value, str) else []
    if len(parts) != 2:
        return None
    latitude, longitude = (read_degrees(part) for part in parts)
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude


def _read_depth(value: object) -> float | None:
    if isinstance(value, str):
        value = value.casefold().replace("km", "")
    return read_number(value)


def _distance_km(latitude: float, longitude: float, options: BmkgOptions) -> float | None:
    """Along the great circle, from the city to the epicentre."""
    if options.latitude is None or options.longitude is None:
        return None
    here, there = math.radians(options.latitude), math.radians(latitude)
    apart = math.radians(longitude - options.longitude)
    half = (
        math.sin((there - here) / 2) ** 2
        + math.cos(here) * math.cos(there) * math.sin(apart / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def _felt_in(felt: str, names: tuple[str, ...]) -> int | None:
    """The greatest MMI at which the city felt it ("II-III Palembang, II Kayu Agung"), or None.

    Where the city is named without an intensity, it is I: felt, and no more is known.
    """
    wanted = [name.casefold() for name in names]
    found: list[int] = []
    intensity = 1
    for part in re.split(r"[,;]", felt):
        stated = [_ROMAN[word] for word in _INTENSITY.findall(part.upper()) if word in _ROMAN]
        # "III Liwa, Palembang": the intensity goes on for the names behind it.
        intensity = max(stated, default=intensity)
        words = (read_word(part) or "").casefold()
        if any(re.search(rf"\b{re.escape(name)}\b", words) for name in wanted):
            found.append(intensity)
    return max(found, default=None)


def _judge(
    magnitude: float | None,
    away_km: float | None,
    felt_at: int | None,
    potential: str,
    radius_km: float,
) -> Severity:
    if magnitude is None and felt_at is None:
        return Severity.UNKNOWN
    found = [Severity.MINOR]
    near = away_km is not None and away_km <= radius_km
    far = away_km is not None and away_km <= 3 * radius_km
    if magnitude is not None and far:
        found += [severity for least, severity in (_NEAR if near else _FAR) if magnitude >= least]
    if felt_at is not None:
        found += [severity for least, severity in _FELT if felt_at >= least]
    words = potential.casefold()
    if near and "tsunami" in words and not any(word in words for word in _NO_TSUNAMI):
        found.append(Severity.SEVERE)
    return min(found, key=_RANK.index)


def _shakemap(value: object, url: str) -> str | None:
    """Their picture of it stands beside the lists."""
    if not isinstance(value, str) or not _SHAKEMAP.fullmatch(value):
        return None
    return read_link(f"{url.rstrip('/')}/{value}")
