"""Proposes how a department's answer could be mapped, for a person to complete. Pure.

Nothing here is certain: names of keys are read in Indonesian and in English, and the values beside
them say whether the guess can be right.
"""

from lawang.propose.envelope import Found, find_rows, guess_paging
from lawang.propose.mapping import Proposal, propose, with_time
from lawang.propose.measures import MeasureDraft
from lawang.propose.writing import Draft, write_toml

__all__ = [
    "Draft",
    "Found",
    "MeasureDraft",
    "Proposal",
    "find_rows",
    "guess_paging",
    "propose",
    "with_time",
    "write_toml",
]
