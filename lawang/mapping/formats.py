"""How a department writes times and numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict

from lawang.domain.values import read_number, read_time

_LONGEST_TIME = 100

# What `strptime` knows only in English.
_MONTHS = {
    "januari": "January",
    "februari": "February",
    "pebruari": "February",
    "maret": "March",
    "mei": "May",
    "juni": "June",
    "juli": "July",
    "agustus": "August",
    "agu": "Aug",
    "agt": "Aug",
    "ags": "Aug",
    "sept": "Sep",
    "oktober": "October",
    "okt": "Oct",
    "nopember": "November",
    "nop": "Nov",
    "desember": "December",
    "des": "Dec",
}
_DAYS = {
    "senin": "Monday",
    "selasa": "Tuesday",
    "rabu": "Wednesday",
    "kamis": "Thursday",
    "jumat": "Friday",
    "jum'at": "Friday",
    "sabtu": "Saturday",
    "minggu": "Sunday",
}
_NAMES = _MONTHS | _DAYS
_NAME = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})\b", re.IGNORECASE)
_EXAMPLE = datetime(2026, 11, 21, 20, 15, 30, tzinfo=UTC)


def check_time_form(form: str) -> str:
    """`form` if `strptime` can read a date with it; ValueError if not.

    Year and month are enough: such a time is the first moment of its month.
    """
    try:
        read = datetime.strptime(_EXAMPLE.strftime(form), form)  # noqa: DTZ007 (only its date counts)
    except ValueError:
        raise ValueError("is no form of a time in the letters of strptime") from None
    if (read.year, read.month) != (_EXAMPLE.year, _EXAMPLE.month) or read.day not in (1, 21):
        raise ValueError("names no full date: year and month are needed, and the day")
    return form


TimeForm = Annotated[str, AfterValidator(check_time_form)]


class Formats(BaseModel):
    """`[formats]`: how the department writes times and numbers.

    ISO 8601 and seconds or milliseconds since 1970 are understood by themselves; `times` lists
    further forms in the letters of `strptime`, tried in order, such as "%d/%m/%Y %H.%M". Names of
    months and days are read in Indonesian and in English. `decimal` is the mark before decimals in
    numbers written as text: with "," the point groups thousands, as in "Rp1.234.567,00".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: ZoneInfo = ZoneInfo("Asia/Jakarta")
    times: tuple[TimeForm, ...] = ()
    decimal: Literal[",", "."] = "."

    def read_time(self, value: object) -> datetime | None:
        """An instant in UTC; None for what is none, and for placeholders such as 01/01/0001."""
        if self.times and isinstance(value, str) and len(value) <= _LONGEST_TIME:
            text = _NAME.sub(lambda found: _NAMES[found[0].lower()], value.strip())
            for form in self.times:
                try:
                    moment = datetime.strptime(text, form)  # noqa: DTZ007 (the zone is added)
                except ValueError:
                    continue
                # As ISO, so that placeholders are told from times in one place.
                if known := read_time(moment.isoformat(), self.timezone):
                    return known
        return read_time(value, self.timezone)

    def read_number(self, value: object) -> float | None:
        """A finite number; None for what is none."""
        return read_number(value, self.decimal)
