"""Recorded answers of the pack's own sources: `cities/palembang/samples/<source>/<case>/`.

A case is a folder with `input.*` and `expected.json`; the options are the source's own file, with
`[simulated]` laid over it. `[answer]` of an `options.toml` may state `kind`, `content_type`,
`delivery` and `fetched_at`. Run as a program, it writes the `expected.json` of cases that have none
and adds "settled" where it is missing; what it wrote has to be read before it is kept.
"""

from __future__ import annotations

import csv
import io
import json
import mimetypes
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from connectors import registry
from connectors.tabular.options import TabularOptions
from lawang.check import Heard, describe_error, describe_parsed, describe_settled, examine
from lawang.check.examine import gather
from lawang.check.plain import record_to_plain
from lawang.city import City, Source, load_city
from lawang.connector import Answer, Options
from lawang.domain.errors import SourceError
from lawang.mapping import RowOptions
from lawang.sample import is_kept, is_personal, kept_paths
from lawang.settings import ROOT
from sources_cli.checking import without_references

PACK = ROOT / "cities" / "palembang"
SAMPLES = PACK / "samples"
_ENV = {
    "LAWANG_SIMULATOR_URL": "http://127.0.0.1:8051",
    "LAWANG_SIMULATOR_DIR": "/nowhere",
    "LAWANG_SIMULATOR_MQTT": "127.0.0.1:1883",
}
_FETCHED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
#: Invented persons have these wherever they stand.
_INVENTED = re.compile(r"9916710101\d{6}|0812-?0000-?\d{4}")
_SHORTEST = 6


@cache
def city() -> City:
    """The pack as the demonstration reads it."""
    return load_city(PACK, simulated=True, env=_ENV)


def cases() -> list[Path]:
    """Every case of every source."""
    return sorted(path for path in SAMPLES.glob("*/*") if path.is_dir())


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded answer, ready to be parsed."""

    folder: Path
    source: Source
    options: Options
    answer: Answer

    @classmethod
    def read(cls, folder: Path) -> Case:
        source = without_references(city().sources[folder.parent.name])
        (file,) = folder.glob("input.*")
        stated = folder / "options.toml"
        told = tomllib.loads(stated.read_text("utf-8")) if stated.is_file() else {}
        answer = told.get("answer", {})
        return cls(
            folder,
            source,
            registry.bind(source),
            Answer(
                body=file.read_bytes(),
                content_type=answer.get("content_type") or mimetypes.guess_type(file)[0] or "",
                fetched_at=answer.get("fetched_at", _FETCHED),
                kind=answer.get("kind", ""),
                delivery=answer.get("delivery"),
            ),
        )

    @property
    def expected(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "expected.json").read_text("utf-8"))
        return found

    def describe(self) -> dict[str, Any]:
        """What the answer means now, parsed and settled."""
        connector = registry.get(self.source.connector)
        try:
            parsed = connector.parse(self.options, self.answer)
        except SourceError as error:
            return describe_error(error)
        heard = Heard((self.answer,), None, 0.0)
        found = examine(heard, self.source, connector, self.options, city())
        return {**describe_parsed(parsed), "settled": describe_settled(found)}

    def settled_text(self) -> str:
        """Every settled record and every reject, as it would be stored."""
        connector = registry.get(self.source.connector)
        heard = Heard((self.answer,), None, 0.0)
        got = gather(heard, self.source, connector, self.options, city())
        records = [record_to_plain(record) for record in got.all_settled]
        return json.dumps(records, ensure_ascii=False, default=str) + repr(got.rejects)

    def planted(self) -> set[str]:
        """Values about invented persons in the answer, which must never get any further."""
        text = self.answer.body.decode("utf-8", "ignore")
        return {*_INVENTED.findall(text), *self._under_personal_keys(text)}

    def _under_personal_keys(self, text: str) -> Iterator[str]:
        personal = self.options.personal if isinstance(self.options, RowOptions) else None
        drop = {word.casefold() for word in (personal.drop if personal else ())}
        kept = kept_paths(self.source)
        document: Any
        if self.answer.body.startswith(b"PK"):
            book = CalamineWorkbook.from_filelike(io.BytesIO(self.answer.body))
            document = [
                _table(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names
            ]
        elif isinstance(self.options, TabularOptions):
            delimiter = self.options.delimiter or ";"
            document = _table(list(csv.reader(io.StringIO(text), delimiter=delimiter)))
        else:
            try:
                document = json.loads(text)
            except ValueError:
                return
        yield from _values(document, drop, kept, (), is_hidden=False)


def _table(lines: list[list[Any]]) -> list[dict[str, Any]]:
    """Rows by the names in the widest of the first lines that hold no numbers."""

    def width(line: list[Any]) -> int:
        words = {cell for cell in line if isinstance(cell, str) and cell.strip()}
        return 0 if any(word.strip().isdecimal() for word in words) else len(words)

    header = max(lines[:20], key=width, default=[])
    return [
        {str(name): cell for name, cell in zip(header, line, strict=False)}
        for line in lines
        if line is not header
    ]


def _values(
    value: Any, drop: set[str], kept: frozenset[tuple[str, ...]], path: tuple[str, ...], *,
    is_hidden: bool,
) -> Iterator[str]:  # fmt: skip
    if isinstance(value, dict):
        for key, each in value.items():
            below = (*path, str(key))
            about = str(key).casefold() in drop or (
                is_personal(str(key)) and not is_kept(below, kept)
            )
            yield from _values(each, drop, kept, below, is_hidden=is_hidden or about)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each, drop, kept, path, is_hidden=is_hidden)
    # A short word (a sex, a district) stands elsewhere too and says nothing about anybody.
    elif is_hidden and len(str(value)) >= _SHORTEST and re.search(r"\s|\d{6}", str(value)):
        yield str(value)


def record() -> list[Path]:
    """Write what is missing; the files written."""
    written = []
    for folder in cases():
        case = Case.read(folder)
        file = folder / "expected.json"
        now = case.describe()
        known = case.expected if file.is_file() else {}
        if not known or ("settled" in now and "settled" not in known):
            text = json.dumps({**now, **known}, ensure_ascii=False, indent=1)
            file.write_text(text + "\n", encoding="utf-8")
            written.append(file)
    return written


if __name__ == "__main__":
    for each in record():
        print(each)
