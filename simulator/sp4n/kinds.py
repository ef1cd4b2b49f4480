"""The categories of the simulated SP4N-LAPOR!; citizens write of them as they do to e-lapor.

Codes, shares and durations are the simulation's own.
"""

from __future__ import annotations

from simulator.desk import Kind
from simulator.texts import PROBLEMS, TERSE


def _kind(code: str, name: str, agency: str, share: float, median_days: float, words: str) -> Kind:
    return Kind(code, name, agency, share, median_days, PROBLEMS[words], TERSE[words])


KINDS = (
    _kind("101", "Jalan dan jembatan", "PUPR", 0.24, 7.0, "JLN"),
    _kind("102", "Penerangan jalan umum", "Perkimtan", 0.11, 4.0, "LPJ"),
    _kind("103", "Drainase dan irigasi", "PUPR", 0.10, 6.5, "DRN"),
    _kind("201", "Persampahan", "DLHK", 0.13, 3.0, "SMP"),
    _kind("202", "Banjir", "BPBD", 0.06, 2.0, "BJR"),
    _kind("301", "Air minum", "Perkimtan", 0.08, 3.5, "AIR"),
    _kind("401", "Perhubungan dan parkir", "Dishub", 0.08, 4.0, "LLN"),
    _kind("501", "Ketenteraman dan ketertiban", "Satpol PP", 0.05, 3.5, "TRB"),
    _kind("601", "Administrasi kependudukan", "Disdukcapil", 0.12, 4.5, "PLY"),
    _kind("999", "Topik lainnya", "Diskominfo", 0.03, 5.0, "LNY"),
)
