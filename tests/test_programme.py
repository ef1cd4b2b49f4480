"""mayor.toml is read strictly: a mistake names file, line and key."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from lawang.city import City
from lawang.city.kpis import Indicators
from lawang.city.programme import read_programme
from lawang.domain.errors import PackError
from lawang.domain.programme import DayCount, MeasureRef, Programme

GOOD = """\
districts = ["surat_10_menit"]

[finance]
revenue = "pendapatan_daerah"
spending = "belanja_daerah"
own_revenue = "pad"
items = ["pbb", "bphtb"]
spending_curve = "belanja"
spent = { source = "apbd_opd", measure = "realisasi_belanja" }
budget = { source = "apbd_opd", measure = "target_belanja" }
cash = { source = "kas_daerah", measure = "saldo_kas", subjects = ["RKUD"] }
cash_stale_after_days = 3

[services]
promises = ["surat_10_menit"]
claimed = "laporan_selesai"
reopened = "laporan_dibuka_lagi"
licences = ["perizinan"]

[[milestones]]
id = "satu"
name_id = "Satu"
name_en = "One"
dimension = "living"
owner = "damkar"
due = 2026-12-31
kpi = "damkar_15_menit"
reach = 0.9
source = "uji"

[[annotations]]
first = 2026-11-16
text_id = "Catatan"
text_en = "Note"
kpi = "pbb"

[health]
indicators = ["tunggu_puskesmas", "psc119_15_menit"]

[[morning.figures]]
id = "api"
kpi = "kebakaran"

[[morning.figures]]
id = "tuntas"
count = "incidents_done"
sources = ["elapor"]
name_id = "Selesai"
name_en = "Finished"
unit = "laporan"
"""


def read(text: str, city: City, folder: Path) -> Programme:
    file = folder / "mayor.toml"
    file.write_text(text, encoding="utf-8")
    indicators = Indicators(city.dimensions, city.curves, city.kpis)
    return read_programme(file, indicators, city.sources, city.opds)


def test_a_pack_without_the_file_has_an_empty_programme(city: City, tmp_path: Path) -> None:
    found = read_programme(tmp_path / "mayor.toml", Indicators(), city.sources, city.opds)
    assert found == Programme()


def test_a_good_file_is_read(city: City, tmp_path: Path) -> None:
    found = read(GOOD, city, tmp_path)
    assert found.finance is not None
    assert found.finance.cash == MeasureRef(
        source="kas_daerah", measure="saldo_kas", subjects=("RKUD",)
    )
    assert found.finance.cash_stale_after == timedelta(days=3)
    assert found.services is not None
    assert found.services.verified == ""
    assert found.milestones[0].due == date(2026, 12, 31)
    assert found.annotations[0].last == date(2026, 11, 16)
    assert found.health == ("tunggu_puskesmas", "psc119_15_menit")
    assert [each.kpi or each.count for each in found.morning] == [
        "kebakaran",
        DayCount.INCIDENTS_DONE,
    ]


def test_an_empty_file_has_no_sections(city: City, tmp_path: Path) -> None:
    assert read("", city, tmp_path) == Programme()


def test_the_packs_own_programme_has_every_section(city: City) -> None:
    found = city.programme
    assert found.finance is not None
    assert found.finance.financing is not None
    assert found.finance.cash is not None
    assert found.services is not None
    assert found.districts
    assert len(found.milestones) >= 12
    assert found.health
    assert len(found.morning) == 6
    assert found.annotations


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ('"surat_10_menit"]', '"surat"]', 1, "districts.0", "no indicator"),
        ('"surat_10_menit"]', '"pbb"]', 1, "districts.0", "is a sum"),
        ('["surat_10_menit"]', '["pad", "pad"]', 1, "districts.1", "twice"),
        ('revenue = "pen', 'revenu = "pen', 4, "finance.revenu", "not a known key"),
        ('"pendapatan_daerah"', '"surat_10_menit"', 4, "finance.revenue", "not a sum in Rp"),
        ('"belanja_daerah"', '"belanja"', 5, "finance.spending", "no indicator"),
        ('"pbb", ', '"kebakaran", ', 7, "finance.items.0", "not a sum in Rp"),
        ('curve = "belanja"', 'curve = "b"', 8, "finance.spending_curve", "[curves]"),
        ('source = "apbd_opd", measure = "real', 'source = "apb", measure = "real', 9,
         "finance.spent.source", "no source"),
        ('"realisasi_belanja"', '"belanja"', 9, "finance.spent.measure", "[measures]"),
        ('"realisasi_belanja"', '"target_belanja"', 9, "finance.spent.measure", "cumulative"),
        ('"saldo_kas"', '"saldo"', 11, "finance.cash.measure", "[measures]"),
        ("_days = 3", "_days = 0", 12, "finance.cash_stale_after_days", "greater than 0"),
        ('promises = ["surat', 'promises = ["sura', 15, "services.promises.0", "no indicator"),
        ('"laporan_selesai"', '"kebakaran"', 16, "services.claimed", "not a share"),
        ('"laporan_selesai"', '""', 16, "services.claimed", "must name"),
        ('"perizinan"', '"apbd"', 18, "services.licences.0", "service_requests"),
        ('"living"', '"hidup"', 24, "milestones.0.dimension", "[dimensions]"),
        ('"damkar"', '"pemadam"', 25, "milestones.0.owner", "opd.toml"),
        ("due = 2026-12-31", 'due = "besok"', 26, "milestones.0.due", "date"),
        ('"damkar_15_menit"', '"damkar_15"', 27, "milestones.0.kpi", "no indicator"),
        ("reach = 0.9\n", "", 20, "milestones.0", "both or neither"),
        ('source = "uji"\n', "", 20, "milestones.0", "where the step is from"),
        ("first = 2026-11-16", "first = 2026-11-16\nlast = 2026-11-15", 31, "annotations.0",
         "before first"),
        ('kpi = "pbb"', 'kpi = "pb"', 35, "annotations.0.kpi", "no indicator"),
        ('["tunggu_puskesmas", ', '["tunggu", ', 38, "health.indicators.0", "no indicator"),
        ('["tunggu_puskesmas", ', '["psc119_15_menit", ', 38, "health.indicators.1", "twice"),
        ('kpi = "kebakaran"', 'kpi = "api"', 42, "morning.figures.0.kpi", "no indicator"),
        ('kpi = "kebakaran"', 'kpi = "ktp_direkam"', 42, "morning.figures.0.kpi", "one day"),
        ('kpi = "kebakaran"', 'kpi = "pad"', 42, "morning.figures.0.kpi", "one day"),
        ('kpi = "kebakaran"', "", 40, "morning.figures.0", "give one"),
        ('kpi = "kebakaran"', 'kpi = "kebakaran"\nunit = "api"', 40, "morning.figures.0",
         "its own"),
        ('id = "tuntas"', 'id = "api"', 45, "morning.figures.1.id", "twice"),
        ('"incidents_done"', '"incidents"', 46, "morning.figures.1.count", "incidents_done"),
        ('["elapor"]', '["lapor"]', 47, "morning.figures.1.sources.0", "no source"),
        ('["elapor"]', '["ekelurahan"]', 47, "morning.figures.1.sources.0", "does not yield"),
        ('name_en = "Finished"\n', "", 44, "morning.figures.1", "needs sources"),
    ],
)  # fmt: skip
def test_a_mistake_names_line_and_key(
    city: City, tmp_path: Path, old: str, new: str, line: int, key: str, words: str
) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(PackError) as told:
        read(GOOD.replace(old, new, 1), city, tmp_path)
    assert told.value.file == tmp_path / "mayor.toml"
    assert (told.value.key, told.value.line) == (key, line)
    assert words in str(told.value)


def test_two_steps_of_one_id_are_a_mistake(city: City, tmp_path: Path) -> None:
    step = GOOD[GOOD.index("[[milestones]]") : GOOD.index("[[annotations]]")]
    with pytest.raises(PackError, match="twice"):
        read(GOOD + step, city, tmp_path)


def test_a_morning_has_no_more_than_six_figures(city: City, tmp_path: Path) -> None:
    more = "".join(f'\n[[morning.figures]]\nid = "a{n}"\nkpi = "kebakaran"\n' for n in range(5))
    with pytest.raises(PackError, match="at most 6"):
        read(GOOD + more, city, tmp_path)


def test_what_is_paid_needs_what_came(city: City, tmp_path: Path) -> None:
    paid = 'financing_paid = { source = "apbd_pembiayaan", measure = "realisasi_pembiayaan" }\n'
    with pytest.raises(PackError, match="financing"):
        read(GOOD.replace("[services]", paid + "[services]"), city, tmp_path)
