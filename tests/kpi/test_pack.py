"""Palembang's own kpi.toml: enough of it, in plain words, fed by sources, with stated targets."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest

from lawang.city import City
from lawang.domain.formula import (
    IncidentFormula,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
    is_share,
    sources_of,
)
from lawang.domain.kpi import Combine, Direction, Kpi
from lawang.settings import ROOT
from simulator import seasons
from simulator.bapenda.figures import PBB, TAXES

_DIMENSIONS = {
    "governance", "branding", "economy", "living", "society", "environment", "finance", "services",
}  # fmt: skip
#: Sources that feed an indicator only by whether they are heard, and why nothing else is scored.
_ONLY_HEARD = {
    "ambulans": "where a vehicle is says nothing about how well it serves",
    "armada_damkar": "where a vehicle is says nothing about how well it serves",
    "truk_sampah": "where a vehicle is says nothing about how well it serves",
    "transmusi": "where a vehicle is says nothing about how well it serves",
    "pupr_alat": "where a vehicle is says nothing about how well it serves",
    "cctv": "a list of cameras",
    "apbd_pembiayaan": "what is borrowed or carried over is neither well nor badly done",
    "bmkg_cuaca": "a forecast is no fact",
    "bmkg_gempa": "nobody in the city answers for earthquakes",
    "bmkg_peringatan": "nobody in the city answers for the weather",
    "kas_daerah": "a balance says nothing of how the city does: the mayor's page shows it as it is",
    "pengukur_hujan": "nobody in the city answers for rain",
    "transmusi_info": "a notice is no measure of service",
}
#: Directions that a reader would trip over if they were the other way round.
_LESS_IS_BETTER = {
    "udara_pm25", "udara_pm10", "tunggu_puskesmas", "antrean_puskesmas", "kebakaran", "lama_surat",
    "laporan_dibuka_lagi", "lama_laporan", "laporan_banjir", "tinggi_air", "bus_terlambat",
    "anemia_ibu_hamil", "harga_beras_medium", "surat_ditolak", "izin_ditolak", "paten_ditolak",
    "siswa_per_guru_sd", "risiko_tinggi_ibu_hamil",
}  # fmt: skip


def _scored(city: City) -> set[str]:
    """The sources whose own records make an indicator."""
    return {
        source
        for kpi in city.kpis.values()
        if not isinstance(kpi.formula, QualityFormula)
        for source in sources_of(kpi.formula)
    }


def _heard(city: City) -> set[str]:
    return {
        source
        for kpi in city.kpis.values()
        if isinstance(kpi.formula, QualityFormula)
        for source in kpi.formula.sources
    }


def test_there_are_at_least_sixty_indicators(city: City) -> None:
    assert len(city.kpis) >= 60


def test_every_dimension_has_several_indicators(city: City) -> None:
    counted = Counter(kpi.dimension for kpi in city.kpis.values())
    assert set(counted) == set(city.dimensions) == _DIMENSIONS
    assert min(counted.values()) >= 5, counted


def test_names_are_told_apart(city: City) -> None:
    for language in ("name_id", "name_en"):
        names = Counter(getattr(kpi, language) for kpi in city.kpis.values())
        assert [name for name, count in names.items() if count > 1] == []


def test_definitions_are_sentences_in_both_languages(city: City) -> None:
    for kpi in city.kpis.values():
        for text in (kpi.definition_id, kpi.definition_en):
            assert text.endswith("."), kpi.id
            assert len(text.split()) >= 5, kpi.id
        assert kpi.definition_id != kpi.definition_en, kpi.id
        assert not re.search(r"\b(the|of|and|with)\b", kpi.definition_id), kpi.id
        assert not re.search(r"\b(yang|dari|dan|dengan)\b", kpi.definition_en), kpi.id


def test_units_that_are_words_have_an_english_one(city: City) -> None:
    same = {"%", "Rp", "Rp/kg", "cm", "µg/m³"}
    assert {each.unit for each in city.kpis.values() if not each.unit_en} <= same
    minutes = next(each for each in city.kpis.values() if each.unit == "menit")
    assert (minutes.unit_in("id"), minutes.unit_in("en")) == ("menit", "min")


def test_every_formula_kind_is_used(city: City) -> None:
    kinds = {type(kpi.formula) for kpi in city.kpis.values()}
    assert kinds == {
        ReadingFormula, ReadingRatioFormula, IncidentFormula, ReachedFormula, RequestFormula,
        QualityFormula,
    }  # fmt: skip


def test_every_source_feeds_an_indicator_or_has_a_reason_not_to(city: City) -> None:
    scored = _scored(city)
    assert scored.isdisjoint(_ONLY_HEARD), "a source with a reason not to be scored is scored"
    assert scored | set(_ONLY_HEARD) == set(city.sources)


def test_sources_that_are_not_scored_are_at_least_watched(city: City) -> None:
    assert _heard(city) >= set(_ONLY_HEARD)


def test_no_target_is_without_a_stated_source(city: City) -> None:
    for kpi in city.kpis.values():
        assert kpi.target is not None, kpi.id
        assert len(kpi.target_source) > 10, kpi.id


def test_a_target_is_either_published_or_marked_as_simulated(city: City) -> None:
    for kpi in city.kpis.values():
        says_so = "imulasi" in kpi.target_source or "tiruan" in kpi.target_source
        assert says_so == kpi.simulated_target, kpi.id


def test_every_curve_has_a_stated_source_and_is_used(city: City) -> None:
    used = {kpi.target.curve.id for kpi in city.kpis.values() if kpi.target and kpi.target.curve}
    assert used == set(city.curves)
    assert all(curve.source for curve in city.curves.values())


def test_no_amount_of_a_year_is_spread_along_a_straight_line(city: City) -> None:
    for kpi in city.kpis.values():
        if kpi.combine is Combine.SUM:
            assert kpi.target is not None, kpi.id
            assert kpi.target.curve is not None, kpi.id
    days = [date(2026, month, 28) for month in range(1, 13)]
    for curve in city.curves.values():
        bend = max(abs(curve.share(day) - day.timetuple().tm_yday / 365) for day in days)
        assert bend > 0.005, curve.id


@pytest.mark.parametrize(
    ("curve", "day", "share"),
    [
        ("pbb", date(2025, 2, 21), 0.0086),
        ("hotel", date(2025, 2, 21), 0.1922),
        ("belanja", date(2025, 11, 19), 0.6454),
    ],
)
def test_a_curve_passes_through_the_published_share(
    city: City, curve: str, day: date, share: float
) -> None:
    assert city.curves[curve].share(day) == pytest.approx(share, abs=1e-12)


def test_the_curve_of_spending_rushes_in_december(city: City) -> None:
    curve = city.curves["belanja"]
    assert curve.between(date(2025, 12, 1), date(2025, 12, 31)) > 0.3


@pytest.mark.parametrize("name", [*seasons.TAXES])
def test_a_tax_curve_is_the_one_by_which_the_simulated_tax_comes_in(city: City, name: str) -> None:
    for day in (date(2026, 1, 31), date(2026, 5, 17), date(2026, 9, 30), date(2028, 2, 29)):
        assert city.curves[name].share(day) == pytest.approx(seasons.tax_share(name, day), abs=1e-9)


@pytest.mark.parametrize(
    ("kpi", "year", "amount"),
    [
        ("pbb", 2023, 279e9), ("bphtb", 2023, 225e9), ("pbjt_listrik", 2023, 240e9),
        ("pbjt_makan", 2023, 215e9), ("pbjt_hotel", 2023, 54e9), ("pbjt_hiburan", 2023, 37.5e9),
        ("pbjt_parkir", 2023, 26e9), ("pajak_reklame", 2023, 29e9),
        ("pendapatan_daerah", 2025, 5223e9), ("pendapatan_daerah", 2026, 4600e9),
        ("belanja_daerah", 2025, 5290e9), ("kebakaran", 2026, 277.0),
        ("akta_lahir_terbit", 2026, 29_000.0),
    ],
)  # fmt: skip
def test_a_published_amount_is_the_target_of_its_year(
    city: City, kpi: str, year: int, amount: float
) -> None:
    target = city.kpis[kpi].target
    assert target is not None
    assert target.of_year(year) == amount


@pytest.mark.parametrize(
    ("kpi", "level"),
    [
        ("ktp_direkam", 0.9921), ("akta_lahir_anak", 0.9890), ("kia_anak", 0.6072),
        ("ikd_aktif", 0.0866), ("lama_surat", 10.0), ("udara_pm25", 55.0),
    ],
)  # fmt: skip
def test_a_published_level_is_the_target_and_not_marked_as_simulated(
    city: City, kpi: str, level: float
) -> None:
    found = city.kpis[kpi]
    assert found.target is not None
    assert found.target.level == level
    assert not found.simulated_target


def test_later_tax_targets_are_those_of_the_simulated_tax_office(city: City) -> None:
    by_subject = {
        kpi.formula.subjects[0]: kpi
        for kpi in city.kpis.values()
        if isinstance(kpi.formula, ReadingFormula) and kpi.formula.source == "pajak_daerah"
    }
    for tax, kpi in [(PBB, city.kpis["pbb"]), *((tax, by_subject[tax.code]) for tax in TAXES)]:
        assert kpi.target is not None
        for year in (2024, 2025, 2026):
            # The pack rounds to a tenth of a billion rupiah.
            assert kpi.target.of_year(year) == pytest.approx(tax.target_of(year), abs=0.06e9)


def test_what_should_fall_is_scored_downwards(city: City) -> None:
    for name in _LESS_IS_BETTER:
        assert city.kpis[name].direction is Direction.DOWN, name


def test_shares_ask_for_a_cohort(city: City) -> None:
    few = [kpi.id for kpi in city.kpis.values() if is_share(kpi.formula) and kpi.minimum < 5]
    assert few == []


def test_every_weight_other_than_one_has_its_reason_printed(city: City, kpi_text: str) -> None:
    for line in kpi_text.splitlines():
        if line.startswith("weight = ") and not line.startswith("weight = 1.0"):
            assert "  # " in line, line


def test_no_dimension_outweighs_the_others_by_more_than_twice(city: City) -> None:
    weights = [each.weight for each in city.dimensions.values()]
    assert max(weights) <= 2 * min(weights)


def test_no_indicator_carries_half_of_its_dimension(city: City) -> None:
    for dimension in city.dimensions:
        own: list[Kpi] = [kpi for kpi in city.kpis.values() if kpi.dimension == dimension]
        assert max(kpi.weight for kpi in own) <= 0.25 * sum(kpi.weight for kpi in own), dimension


@pytest.fixture(scope="module")
def kpi_text() -> str:
    """The file as it is written."""
    return (ROOT / "cities" / "palembang" / "kpi.toml").read_text("utf-8")
