"""Reading a city pack, and telling every mistake in one by file, line and key."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lawang.city import City, load_city, locate
from lawang.domain.errors import PackError, SettingsError
from lawang.domain.health import Cadence
from lawang.domain.incident import Status
from lawang.settings import ROOT

PALEMBANG = ROOT / "cities" / "palembang"


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(PALEMBANG, env={})


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PALEMBANG, tmp_path / "palembang"))


def test_palembang_has_18_kecamatan_and_107_kelurahan(city: City) -> None:
    assert (len(city.kecamatan), len(city.kelurahan)) == (18, 107)


def test_palembang_keeps_western_indonesian_time(city: City) -> None:
    assert city.timezone == ZoneInfo("Asia/Jakarta")


def test_palembang_says_that_its_boundaries_are_approximate(city: City) -> None:
    assert city.boundaries.approximate
    assert "perkiraan" in city.boundaries.note


def test_every_feature_of_the_map_is_a_region(city: City) -> None:
    for collection, regions in (
        (city.kecamatan_geojson, city.kecamatan),
        (city.kelurahan_geojson, city.kelurahan),
    ):
        codes = [feature["properties"]["code"] for feature in collection["features"]]
        assert codes == [region.code for region in regions]


def test_words_of_a_source_lead_to_our_own(city: City) -> None:
    elapor = city.sources["elapor"]
    assert elapor.category_map["BJR"] == "banjir"
    assert elapor.status_map == {"open": Status.WAITING, "closed": Status.DONE}
    assert elapor.note_map["Disposisi"] is Status.DISPOSITION


def test_every_mapped_category_is_one_of_the_pack(city: City) -> None:
    mapped = {each for source in city.sources.values() for each in source.category_map.values()}
    assert mapped == set(city.categories)


def test_every_source_says_in_both_languages_what_it_is_about(city: City) -> None:
    same = [each.id for each in city.sources.values() if each.description_en == each.description]
    assert same == []
    assert all(each.description for each in city.sources.values())


def test_a_source_without_its_address_is_not_configured(city: City) -> None:
    assert city.sources["elapor"].unset == ("LAWANG_ELAPOR_URL",)


def test_a_source_with_its_address_is_configured() -> None:
    elapor = load_city(PALEMBANG, env={"LAWANG_ELAPOR_URL": "https://lapor.test/"}).sources[
        "elapor"
    ]
    assert elapor.unset == ()
    assert elapor.connection["base_url"] == "https://lapor.test/"
    assert elapor.connection["api_key"] == ""


def test_an_empty_variable_counts_as_not_set() -> None:
    elapor = load_city(PALEMBANG, env={"LAWANG_ELAPOR_URL": ""}).sources["elapor"]
    assert elapor.unset == ("LAWANG_ELAPOR_URL",)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("rahasia\n")
    env = {"LAWANG_ELAPOR_API_KEY_FILE": str(secret)}
    assert load_city(PALEMBANG, env=env).sources["elapor"].connection["api_key"] == "rahasia"


def test_a_secret_file_that_is_not_there_is_told_by_its_variable(tmp_path: Path) -> None:
    env = {"LAWANG_ELAPOR_API_KEY_FILE": str(tmp_path / "none")}
    with pytest.raises(SettingsError, match="LAWANG_ELAPOR_API_KEY_FILE"):
        load_city(PALEMBANG, env=env)


def test_in_a_demonstration_the_simulated_department_is_read() -> None:
    env = {"LAWANG_SIMULATOR_URL": "http://127.0.0.1:8051"}
    elapor = load_city(PALEMBANG, env=env, simulated=True).sources["elapor"]
    assert elapor.simulated
    assert elapor.unset == ()
    assert elapor.connection["base_url"] == "http://127.0.0.1:8051/elapor/open311/v2/"
    assert elapor.connection["page_size"] == 500
    assert elapor.cadence == Cadence.of(5)


def test_outside_of_a_demonstration_nothing_is_simulated(city: City) -> None:
    assert not city.sources["elapor"].simulated
    assert city.sources["elapor"].every_s == 60


def test_a_source_may_say_when_its_silence_counts(pack: Path) -> None:
    _edit(pack / "sources/elapor.toml", "every_s = 60", "every_s = 60\ndown_after_s = 86400")
    cadence = load_city(pack, env={}).sources["elapor"].cadence
    assert cadence == Cadence(every_s=60, late_after_s=120, stale_after_s=240, down_after_s=86400)


def test_a_city_may_have_roads_on_its_map(pack: Path) -> None:
    assert load_city(pack, env={}).roads_geojson["features"] == []
    river = (pack / "regions/river.geojson").read_bytes()
    (pack / "regions/roads.geojson").write_bytes(river)
    assert load_city(pack, env={}).roads_geojson["features"] != []


def test_a_kecamatan_may_have_its_inhabitants_in_a_last_column(pack: Path) -> None:
    file = pack / "regions/kecamatan.csv"
    head, first, *others = file.read_text(encoding="utf-8").splitlines()
    lines = [f"{head},population", f"{first},71234", *(f"{each}," for each in others)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    known = [region.population for region in load_city(pack, env={}).kecamatan]
    assert known == [71234, *[None] * len(others)]


def test_inhabitants_that_are_no_whole_number_are_refused(pack: Path) -> None:
    file = pack / "regions/kecamatan.csv"
    head, *others = file.read_text(encoding="utf-8").splitlines()
    lines = [f"{head},population", *(f"{each},1.5" for each in others)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(PackError, match=r"population.*whole number"):
        load_city(pack, env={})


def test_a_city_without_a_river_has_none_on_its_map(pack: Path) -> None:
    (pack / "regions/river.geojson").unlink()
    assert load_city(pack, env={}).river_geojson["features"] == []


@dataclass(frozen=True)
class Mistake:
    """A text replaced in a file of the pack; the line of the mistake is that of `at` (or None)."""

    file: str
    old: str
    new: str
    key: str
    at: str | None
    problem: str = ""


CITY, OPD, CATEGORIES = "city.toml", "opd.toml", "categories.toml"
ELAPOR = "sources/elapor.toml"
KECAMATAN, KELURAHAN = "regions/kecamatan.csv", "regions/kelurahan.csv"

MISTAKES = [
    Mistake(CITY, 'slug = "', "slug = ", "", "slug =", "not valid TOML"),
    Mistake(CITY, 'slug = "palembang"', "", "slug", None, "missing"),
    Mistake(CITY, 'slug = "palembang"', 'slug = "Kota X"', "slug", "slug ="),
    Mistake(CITY, "south = -3.13", "", "bbox.south", "[bbox]", "missing"),
    Mistake(CITY, "south = -3.13", "south = 3", "bbox", "[bbox]", "below north"),
    Mistake(CITY, "count = 1718440", 'count = "many"', "population.count", "count ="),
    Mistake(CITY, "year = 2024", "year = 2024\nyaer = 1", "population.yaer", "yaer", "not a known"),
    Mistake(CITY, "Asia/Jakarta", "Asia/Palembang", "timezone", "timezone", "time zone"),
    Mistake(CITY, "Asia/Jakarta", "../Jakarta", "timezone", "timezone", "time zone"),
    Mistake(CITY, "min_km2 = 352", "min_km2 = 402", "area", "[area]"),
    Mistake(CITY, "km2 = 352.51", 'km2 = "?"', "area.published.0.km2", "published ="),
    Mistake(CITY, '"Penduduk:', '3, "Penduduk:', "credits.2", "credits ="),
    Mistake(OPD, '[dlhk]\nname = "DLHK"', "[dlhk]", "dlhk.name", "[dlhk]", "missing"),
    Mistake(OPD, 'name = "Dishub"', 'nama = "Dishub"', "dishub.nama", "nama", "not a known key"),
    Mistake(OPD, "[pupr]", "[dishub]", "", '[dishub]\nname = "PUPR', "not valid TOML"),
    Mistake(CATEGORIES, 'name_en = "Drains"', "name_en = 1", "drainase.name_en", "name_en = 1"),
    Mistake(CATEGORIES, "[lainnya]", "[tidak_diketahui]", "tidak_diketahui", "[tidak_"),
    Mistake(ELAPOR, "every_s = 60", "evry_s = 60", "evry_s", "evry_s", "not a known key"),
    Mistake(ELAPOR, "every_s = 60", "", "every_s", None, "missing"),
    Mistake(ELAPOR, "every_s = 60", 'every_s = "60"', "every_s", "every_s"),
    Mistake(ELAPOR, "every_s = 60", "every_s = -1", "every_s", "every_s"),
    Mistake(ELAPOR, "timeout_s = 20", "timeout_s = 60", "timeout_s", "timeout_s", "shorter"),
    Mistake(ELAPOR, "timeout_s = 4", "timeout_s = 5", "simulated.timeout_s", "timeout_s = 5"),
    Mistake(ELAPOR, "timeout_s = 4", "timout_s = 4", "simulated.timout_s", "timout_s = 4"),
    Mistake(
        ELAPOR,
        "every_s = 60",
        "every_s = 60\nstale_after_s = 100",
        "stale_after_s",
        "stale_after_s",
        "longer than late_after_s",
    ),
    Mistake(ELAPOR, '"diskominfo"', '"dinas"', "opd", "opd =", "not in opd.toml"),
    Mistake(ELAPOR, '"incidents"', '"numbers"', "yields", "yields"),
    Mistake(ELAPOR, '"${LAWANG_ELAPOR_URL}"', '"${url}"', "connection.base_url", "base_url"),
    Mistake(ELAPOR, '"${LAWANG_ELAPOR_URL}"', '"${URL"', "connection.base_url", "base_url"),
    Mistake(
        ELAPOR,
        '"${LAWANG_SIMULATOR_URL}/',
        '"${sim}/',
        "simulated.connection.base_url",
        '"${sim}/',
    ),
    Mistake(ELAPOR, '"drainase"', '"selokan"', "map.category.DRN", "DRN", "not in categories"),
    Mistake(ELAPOR, 'closed = "selesai"', 'closed = "beres"', "map.status.closed", "closed ="),
    Mistake(
        ELAPOR,
        '"Dibuka kembali" = "menunggu"',
        '"Dibuka kembali" = "tidak_diketahui"',
        "map.note.Dibuka kembali",
        '"Dibuka kembali"',
        "not one of",
    ),
    Mistake(ELAPOR, "[map.note]", "[map.notes]", "map.notes", "[map.notes]", "not a known key"),
    Mistake(KECAMATAN, "code,name,", "kode,nama,", "", "kode,nama", "header"),
    Mistake(KECAMATAN, "16.71.02,", "16.71.01,", "code", "16.71.01,Seberang", "line 2"),
    Mistake(KECAMATAN, "1671011,", "1671010,", "bps_code", "16.71.12", "already"),
    Mistake(KECAMATAN, "1671011,", "16710,", "bps_code", "16.71.12", "seven digits"),
    Mistake(KECAMATAN, "16.71.12,", "16.72.12,", "code", "16.72.12", "below 16.71"),
    Mistake(KECAMATAN, "-3.0036", "-30.036", "lat", "16.71.12", "outside"),
    Mistake(KECAMATAN, "-3.0036", "selatan", "lat", "16.71.12", "not a number"),
    Mistake(KECAMATAN, "-3.0036", "nan", "lat", "16.71.12", "not a number"),
    Mistake(KECAMATAN, "50.62,left", "50.62,north", "bank", "16.71.12"),
    Mistake(KECAMATAN, "16.71.12,Gandus,", "16.71.12,", "", "16.71.12", "7 fields"),
    Mistake(KECAMATAN, "16.71.12,Gandus", "16.71.12,Plaju", "name", "16.71.14", "16.71.12 already"),
    Mistake(KELURAHAN, "32 Ilir,16.71.01", "32 Ilir,16.71.99", "kecamatan_code", "32 Ilir"),
    Mistake(KELURAHAN, "32 Ilir,16.71.01", "32 Ilir,16.71.02", "code", "32 Ilir", "below"),
    Mistake(KELURAHAN, "3.19,", "0,", "area_km2", "16 Ulu", "more than 0"),
    Mistake(KELURAHAN, "Lebong Gajah", "Duku", "variants", "Lebung Gajah", "16.71.18.1006"),
    Mistake("regions/landmarks.csv", "104.7623", "1047623", "lon", "ujung utara"),
    Mistake(
        "regions/kecamatan.geojson", '"code":"16.71.05"', '"code":"16.71.55"', "16.71.55", None
    ),
    Mistake("regions/kelurahan.geojson", '"features":[', '"features":[,', "", '"features"'),
]


def _edit(file: Path, old: str, new: str) -> str:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"the pack no longer holds {old!r}"
    text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize("wrong", MISTAKES, ids=lambda wrong: f"{wrong.file}:{wrong.new[:30]}")
def test_a_mistake_is_told_by_file_line_and_key(pack: Path, wrong: Mistake) -> None:
    text = _edit(pack / wrong.file, wrong.old, wrong.new)
    line = text[: text.index(wrong.at)].count("\n") + 1 if wrong.at else None
    with pytest.raises(PackError, match=wrong.problem or None) as caught:
        load_city(pack, env={})
    error = caught.value
    assert (error.file, error.key, error.line) == (pack / wrong.file, wrong.key, line)


def test_a_region_missing_from_the_map_is_told(pack: Path) -> None:
    file = pack / "regions/kecamatan.geojson"
    collection = json.loads(file.read_text())
    del collection["features"][4]
    file.write_text(json.dumps(collection))
    with pytest.raises(PackError, match="missing") as caught:
        load_city(pack, env={})
    assert (caught.value.file, caught.value.key) == (file, "16.71.05")


def test_a_region_twice_on_the_map_is_told(pack: Path) -> None:
    file = pack / "regions/kecamatan.geojson"
    collection = json.loads(file.read_text())
    collection["features"].append(collection["features"][4])
    file.write_text(json.dumps(collection))
    with pytest.raises(PackError, match="twice"):
        load_city(pack, env={})


@pytest.mark.parametrize("name", [CITY, OPD, CATEGORIES, KECAMATAN, "regions/kelurahan.geojson"])
def test_a_missing_file_is_told(pack: Path, name: str) -> None:
    (pack / name).unlink()
    with pytest.raises(PackError, match="cannot be read") as caught:
        load_city(pack, env={})
    assert caught.value.file == pack / name


def test_a_missing_pack_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no such city pack"):
        load_city(tmp_path / "none", env={})


def test_text_in_another_encoding_is_told_with_its_line(pack: Path) -> None:
    file = pack / OPD
    file.write_bytes(b"# one\n# two\n[\xe9]\n")
    with pytest.raises(PackError, match="UTF-8") as caught:
        load_city(pack, env={})
    assert caught.value.line == 3


def test_a_source_with_a_bad_file_name_is_told(pack: Path) -> None:
    shutil.copy(pack / ELAPOR, pack / "sources/E Lapor.toml")
    with pytest.raises(PackError, match="file name"):
        load_city(pack, env={})


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("name", 2),
        ("text", 3),
        ("listed", 6),
        ("table", 11),
        ("table.one", 12),
        ("table.sub.deep", 13),
        ("table.quoted = key", 14),
        ("table.inline", 15),
        ("table.inline.inside", 15),
        ("table.absent", 11),
        ("rows.0.id", 18),
        ("rows.1", 19),
        ("rows.1.id", 20),
        ("rows.1.more.x", 22),
        ("absent", None),
    ],
)
def test_a_key_is_located_in_its_file(tmp_path: Path, key: str, line: int | None) -> None:
    file = tmp_path / "some.toml"
    file.write_text(
        "# name = 0\n"
        'name = "[table]"\n'
        'text = """\n'
        'listed = "no"\n'
        '"""\n'
        "listed = [ # ]\n"
        '  "a]", # "\n'
        "  'b\"',\n"
        "]\n"
        "\n"
        "[ table ] # one = 0\n"
        "one = 1\n"
        "sub.deep = 2\n"
        '"quoted = key" = 3\n'
        "inline = { inside = 1 }\n"
        "\n"
        "[[rows]]\n"
        "id = 1\n"
        "[[rows]]\n"
        "id = 2\n"
        "[rows.more]\n"
        "x = 1"
    )
    assert locate(file, key) == line


def test_nothing_is_located_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert locate(tmp_path / "none.toml", "key") is None
