"""Why the status is what it is, in a few words for a wall, in both languages of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lawang.city import City
from lawang.domain.status import Reason, ReasonKind, SeenAlarm

#: More names than this do not fit on a wall; how many more there are is said.
_NAMES_MOST = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words are made of: the city, and the alarms by id as far as they are known."""

    city: City
    alarms: Mapping[str, SeenAlarm]


def word_reason(reason: Reason, reading: Reading, language: str) -> str:
    """A reason in one language, "id" or "en"."""
    english = language == "en"
    number = f"{reason.found:g}"
    match reason.kind:
        case ReasonKind.ALARMS:
            names = _names(reason, reading, english)
            count = f"{number} {'alerts' if english else 'peringatan'}"
            if english and reason.found == 1:
                count = "1 alert"
            return f"{names}: {count}" if names else count
        case ReasonKind.SOURCES:
            if english:
                return f"{number} data source{'' if reason.found == 1 else 's'} down"
            return f"{number} sumber data mati"
        case ReasonKind.SCORE:
            score, needed = f"{reason.found:.2f}", f"{reason.needed:g}"
            if english:
                return f"The city's score is {score}, below {needed}"
            return f"Skor kota {score}, di bawah {needed}".replace(".", ",")


def _names(reason: Reason, reading: Reading, english: bool) -> str:
    """The names of the rules whose alarms were counted, in the pack's order."""
    counted = {reading.alarms[each].rule for each in reason.alarms if each in reading.alarms}
    names = [
        rule.name_en if english else rule.name_id
        for rule in reading.city.rules.values()
        if rule.id in counted
    ]
    more = f" +{len(names) - _NAMES_MOST}" if len(names) > _NAMES_MOST else ""
    return ", ".join(names[:_NAMES_MOST]) + more
