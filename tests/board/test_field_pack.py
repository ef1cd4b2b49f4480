"""board.toml is read strictly: a mistake names file, line and key; without it panels are empty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lawang.board.panels import PANELS, BoardState, compute
from lawang.city import City
from lawang.city.board import read_field_tables
from lawang.domain.errors import PackError
from lawang.domain.field import FieldTables
from lawang.domain.programme import MeasureRef
from tests.board.field import NOW

GOOD = """\
[water]
source = "pengukur_air"
measure = "tinggi_air"

[cameras]
sources = ["cctv"]

[desks]
letters = "surat_10_menit"
"""


def read(text: str, city: City, folder: Path) -> FieldTables:
    file = folder / "board.toml"
    file.write_text(text, encoding="utf-8")
    return read_field_tables(file, city.sources, city.kpis)


def test_a_good_file_is_read(city: City, tmp_path: Path) -> None:
    found = read(GOOD, city, tmp_path)
    assert found.water == MeasureRef(source="pengukur_air", measure="tinggi_air")
    assert (found.cameras, found.rain, found.desks.letters) == (("cctv",), None, "surat_10_menit")


@pytest.mark.parametrize(
    ("before", "after", "line", "key"),
    [
        ('"pengukur_air"', '"pengukur"', 2, "water.source"),
        ('"pengukur_air"', '"cctv"', 2, "water.source"),
        ('"tinggi_air"', '"tinggi"', 3, "water.measure"),
        ("measure =", "mesure =", 3, "water.mesure"),
        ('["cctv"]', '["elapor"]', 6, "cameras.sources.0"),
        ('"surat_10_menit"', '"surat"', 9, "desks.letters"),
        ('"surat_10_menit"', '"surat_ditolak"', 9, "desks.letters"),
        ("[water]", "[rain]", 3, "rain.measure"),
    ],
)
def test_a_mistake_names_line_and_key(
    city: City, tmp_path: Path, before: str, after: str, line: int, key: str
) -> None:
    with pytest.raises(PackError) as caught:
        read(GOOD.replace(before, after), city, tmp_path)
    assert (caught.value.line, caught.value.key) == (line, key)


def test_a_city_without_the_file_has_panels_that_say_nothing(city: City, tmp_path: Path) -> None:
    assert read_field_tables(tmp_path / "board.toml", city.sources, city.kpis) == FieldTables()
    bare = replace(city, field_tables=FieldTables())
    made = compute(BoardState(bare), NOW, PANELS)
    for name in ("water", "rain", "transit", "clinics"):
        assert made[name] == {"sources": []}
    assert made["cameras"]["cameras"] == made["warnings"]["warnings"] == {}
