"""kpi.toml is read strictly: a mistake names file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawang.city import City
from lawang.city.kpis import Indicators, read_kpis
from lawang.domain.errors import PackError
from lawang.domain.formula import (
    Across,
    IncidentFormula,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
    Within,
)
from lawang.domain.kpi import Combine

GOOD = """\
[dimensions.services]
name_id = "Layanan"
name_en = "Services"
weight = 2.0

[curves.pbb]
points = [["02-21", 0.0086], ["12-31", 1]]
source = "uji"

[kpi.satu]
name_id = "Satu"
name_en = "One"
definition_id = "Kalimat."
definition_en = "A sentence."
dimension = "services"
owner = "bapenda"
unit = "%"
direction = "up"
combine = "ratio"
stale_after_days = 3
target_source = "uji"
[kpi.satu.value]
kind = "request_share"
what = "within_promise"
sources = ["ekelurahan"]
[kpi.satu.target]
level = 0.9
"""
_VALUE = 'kind = "request_share"\nwhat = "within_promise"\nsources = ["ekelurahan"]'


def read(text: str, city: City, folder: Path) -> Indicators:
    file = folder / "kpi.toml"
    file.write_text(text, encoding="utf-8")
    return read_kpis(file, city.sources, city.categories, city.opds)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_pack_without_the_file_has_no_indicators(city: City, tmp_path: Path) -> None:
    found = read_kpis(tmp_path / "kpi.toml", city.sources, city.categories, city.opds)
    assert found == Indicators()


def test_a_good_file_is_read(city: City, tmp_path: Path) -> None:
    found = read(GOOD, city, tmp_path)
    assert found.dimensions["services"].weight == 2.0
    assert found.kpis["satu"].target is not None
    assert isinstance(found.kpis["satu"].formula, RequestFormula)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ('unit = "%"', 'unti = "%"', 17, "kpi.satu.unti", "not a known key"),
        ('"bapenda"', '"bapeda"', 16, "kpi.satu.owner", "not in opd.toml"),
        ('dimension = "services"', 'dimension = "x"', 15, "kpi.satu.dimension", "[dimensions]"),
        ('["ekelurahan"]', '["ekel"]', 25, "kpi.satu.value.sources", "no source 'ekel'"),
        ('["ekelurahan"]', '["pbb"]', 25, "kpi.satu.value.sources", "service_requests"),
        ('"within_promise"', '"on_time"', 24, "kpi.satu.value.what", ""),
        ('"request_share"', '"share"', 23, "kpi.satu.value.kind", "must be one of"),
        ("level = 0.9", "level = 0.9\nyear = 2.0", 26, "kpi.satu.target", "one of level"),
        ("level = 0.9", "per_day = 3.0", 27, "kpi.satu.target.per_day", "belongs to a sum"),
        ("level = 0.9", 'level = 0.9\ncurve = "pbb"', 28, "kpi.satu.target.curve", "a ratio"),
        ("level = 0.9", "level = -1.0", 26, "kpi.satu.target", "below 0"),
        ('combine = "ratio"', 'combine = "sum"', 19, "kpi.satu.combine", "use ratio"),
        ('target_source = "uji"\n', "", 10, "kpi.satu", "target_source"),
        ('"02-21"', '"02-29"', 7, "curves.pbb.points.0", "29 February"),
        ('"02-21"', '"21-02"', 7, "curves.pbb.points.0", "not a day"),
        ('["12-31", 1]', '["12-30", 1]', 7, "curves.pbb.points", "31 December"),
        ('["12-31", 1]', '["12-31", 0.001]', 7, "curves.pbb.points", "does not fall"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    city: City, tmp_path: Path, old: str, new: str, line: int, key: str, words: str
) -> None:
    with pytest.raises(PackError) as caught:
        read(changed(old, new), city, tmp_path)
    assert (caught.value.key, caught.value.line) == (key, line)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "key", "words"),
    [
        ('kind="reading"\nsource="pbb"\nmeasure="x"', "measure", "[measures] of pbb.toml"),
        ('kind="reading"\nsource="bmkg_cuaca"\nmeasure="suhu"', "measure", "forecast"),
        (
            'kind="reading"\nsource="paten"\nmeasure="selesai"\nwithin="mean"',
            "within",
            "a flow",
        ),
        (
            'kind="reading"\nsource="pbb"\nmeasure="pbb_penerimaan"\nwithin="max"',
            "within",
            "cumulative",
        ),
        (
            'kind="reading"\nsource="pbb"\nmeasure="pbb_target"\nsubjects=["a"]\nexclude=["b"]',
            "exclude",
            "not both",
        ),
        (
            'kind="incident_share"\nwhat="closed"\nsources=["elapor"]\ncategories=["gempa"]',
            "categories",
            "categories.toml",
        ),
        (
            'kind="request_share"\nwhat="done"\nsources=["ekelurahan"]\nservices=["ktp"]',
            "services",
            "[services]",
        ),
        ('kind="incident_share"\nwhat="closed"\nsources=[]', "sources", ""),
        ('kind="source_quality"\nwhat="validity"\nopd="inspektorat"', "opd", "has no source"),
        ('kind="source_quality"\nwhat="integrated"\nopd="dishub"', "what", "all departments"),
    ],
)
def test_a_value_names_what_the_pack_has(
    city: City, tmp_path: Path, value: str, key: str, words: str
) -> None:
    with pytest.raises(PackError) as caught:
        read(changed(_VALUE, value), city, tmp_path)
    assert caught.value.key == f"kpi.satu.value.{key}"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (
            'kind="reading_ratio"\nnumerator={source="paten",measure="selesai"}\n'
            'denominator={source="paten",measure="permohonan"}',
            ReadingRatioFormula,
        ),
        ('kind="incident_hours"\nsources=["elapor"]\ncategories=["banjir"]', IncidentFormula),
        ('kind="within_minutes"\nminutes=15\nsources=["damkar"]', ReachedFormula),
        ('kind="request_minutes"\nsources=["ekelurahan"]', RequestFormula),
        ('kind="source_quality"\nwhat="validity"\nopd="bpkad"', QualityFormula),
    ],
)
def test_each_kind_makes_its_formula(
    city: City, tmp_path: Path, value: str, kind: type[object]
) -> None:
    assert isinstance(read(changed(_VALUE, value), city, tmp_path).kpis["satu"].formula, kind)


def test_the_sources_of_a_department_are_named_by_it(city: City, tmp_path: Path) -> None:
    value = 'kind="source_quality"\nwhat="validity"\nopd="bpkad"'
    formula = read(changed(_VALUE, value), city, tmp_path).kpis["satu"].formula
    assert isinstance(formula, QualityFormula)
    assert set(formula.sources) == {"apbd", "apbd_opd", "apbd_pembiayaan", "kas_daerah"}


def test_a_reading_keeps_its_ways(city: City, tmp_path: Path) -> None:
    value = (
        'kind="reading"\nsource="pengukur_air"\nmeasure="tinggi_air"\nacross="max"\n'
        'within="max"\nfactor=0.01'
    )
    formula = read(changed(_VALUE, value), city, tmp_path).kpis["satu"].formula
    assert isinstance(formula, ReadingFormula)
    assert (formula.across, formula.within, formula.factor) == (Across.MAX, Within.MAX, 0.01)


def test_palembangs_indicators_are_read(city: City) -> None:
    assert len(city.kpis) >= 60
    assert {each.dimension for each in city.kpis.values()} == set(city.dimensions)
    assert {each.combine for each in city.kpis.values()} == set(Combine)
