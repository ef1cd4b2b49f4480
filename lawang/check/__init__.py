"""What one fetch of a source brought, and what would become of it; nothing is written.

This is polling without its stores: the same `fetch`, `parse` and `settle`, and a judgement of what
they gave that an integrator can act on.
"""

from lawang.check.examine import examine
from lawang.check.findings import (
    AlertsFound,
    FieldUse,
    Findings,
    MeasureUse,
    PersonalKeys,
    Record,
    ServiceUse,
)
from lawang.check.hearing import Heard, hear
from lawang.check.meaning import describe_error, describe_parsed, describe_settled
from lawang.check.measures import Past
from lawang.check.plain import findings_to_plain

__all__ = [
    "AlertsFound",
    "FieldUse",
    "Findings",
    "Heard",
    "MeasureUse",
    "Past",
    "PersonalKeys",
    "Record",
    "ServiceUse",
    "describe_error",
    "describe_parsed",
    "describe_settled",
    "examine",
    "findings_to_plain",
    "hear",
]
