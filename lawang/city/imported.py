"""Where imported boundaries lie, and what is in force: `<data_dir>/boundaries/<slug>/`.

::

    current.json          {"version": "0002"}: replaced in one step, so there is always one truth
    0001/, 0002/          one folder an import, complete before current.json names it:
        report.json       what was imported, and the version it replaced
        kecamatan.geojson
        kelurahan.geojson
"""

from __future__ import annotations

from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from lawang.domain.errors import PackError
from lawang.domain.region import Level

MEND = "`lawang boundaries undo` returns to the boundaries before it"


class ImportReport(BaseModel):
    """What one import brought.

    `file` is the name of the imported file, `matched_by` the property by which its features were
    told apart, `area_km2` its total area, `previous` the version that undo returns to (None: the
    pack's own boundaries). `notes` are sentences for whoever imported it.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    previous: str | None
    file: str
    imported_at: AwareDatetime
    level: Level
    regions: int
    matched_by: str
    area_km2: float
    notes: tuple[str, ...] = ()


class _Current(BaseModel):
    version: str


def shelf(data_dir: Path, slug: str) -> Path:
    """The folder of one city's imported boundaries; it may not exist."""
    return data_dir / "boundaries" / slug


def current_version(data_dir: Path, slug: str) -> Path | None:
    """The folder of the version in force; None while the pack's own boundaries are.

    Raises PackError if the note of it is damaged.
    """
    pointer = shelf(data_dir, slug) / "current.json"
    try:
        text = pointer.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(pointer, "", f"cannot be read; {MEND}") from error
    try:
        version = _Current.model_validate_json(text).version
    except ValidationError as error:
        raise PackError(pointer, "version", f"is damaged; {MEND}") from error
    return pointer.parent / version


def read_report(version: Path) -> ImportReport:
    """The report of an imported version. Raises PackError if it is missing or damaged."""
    file = version / "report.json"
    try:
        return ImportReport.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise PackError(file, "", f"is missing or damaged; {MEND}") from error
