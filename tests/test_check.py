"""What a check says of one fetch, and what a sample keeps of an answer. Pure: no server here."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from lawang.check import Findings, Heard, examine, findings_to_plain
from lawang.city import City, Source, load_city
from lawang.city.source import read_source
from lawang.connector import Answer, Options
from lawang.domain.errors import LawangError, RetryLater
from lawang.sample import clean_answer, describe_options, is_personal, write_sample

PACK = Path(__file__).resolve().parents[1] / "cities" / "palembang"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = "kunci-rahasia"

SOURCE = """\
name = "Aduan PU"
opd = "pupr"
connector = "rest"
yields = "incidents"
every_s = 300
timeout_s = 20

[connection]
url = "${LAWANG_PU_URL}"
records = "data"
auth = { kind = "header", name = "X-Api-Key", value = "${LAWANG_PU_KEY}" }
params = { token = "${LAWANG_PU_KEY}" }

[fields]
external_id = "id"
requested_at = "tanggal"
category = "jenis.nama"
status = "status"
description = "uraian"
region = "kelurahan"

[map.category]
Jalan = "jalan"

[map.status]
baru = "menunggu"
"""


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(PACK, simulated=True)


@pytest.fixture
def source(tmp_path: Path, city: City) -> Source:
    file = tmp_path / "pu.toml"
    file.write_text(SOURCE, encoding="utf-8")
    env = {"LAWANG_PU_URL": "http://10.1.2.3/api", "LAWANG_PU_KEY": KEY}
    return read_source(file, city.opds, city.categories, env)


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "tanggal": "2026-11-20T08:00:00+07:00",
        "jenis": {"nama": "Jalan"},
        "status": "baru",
        "uraian": "Jalan berlubang",
        "kelurahan": "Kel. 22 Ilir",
        **changes,
    }


def answer(*rows: object) -> Answer:
    body = json.dumps({"data": rows}).encode()
    return Answer(body, "application/json", NOW, kind="rows")


def look(source: Source, city: City, *rows: object) -> Findings:
    heard = Heard((answer(*rows),), None, 0.5)
    connector = registry.get(source.connector)
    return examine(heard, source, connector, registry.bind(source), city)


def options_of(source: Source) -> Options:
    return registry.bind(source)


def test_a_source_whose_every_record_can_be_used_is_good(source: Source, city: City) -> None:
    found = look(source, city, row(1), row(2))
    assert (found.records, found.usable, found.is_good) == (2, 2, True)


def test_a_record_for_quarantine_makes_a_check_not_good(source: Source, city: City) -> None:
    found = look(source, city, row(1), row(2, tanggal="kemarin"))
    assert found.reject_reasons == {"bad_time": 1}
    assert (found.records, found.usable, found.is_good) == (2, 1, False)


def test_an_identifier_that_only_settling_refuses_is_counted_too(
    source: Source, city: City
) -> None:
    found = look(source, city, row(1, id="x" * 150))
    assert found.reject_reasons == {"bad_id": 1}


def test_an_answer_without_records_proves_nothing(source: Source, city: City) -> None:
    assert not look(source, city).is_good


def test_a_fetch_that_broke_off_is_not_good_whatever_came_before(
    source: Source, city: City
) -> None:
    heard = Heard((answer(row(1)),), RetryLater("timeout", "host"), 1.0)
    connector = registry.get("rest")
    found = examine(heard, source, connector, options_of(source), city)
    assert (found.usable, found.is_good) == (1, False)


def test_an_answer_that_is_none_is_told_as_the_error_it_is(source: Source, city: City) -> None:
    heard = Heard((Answer(b"<html>", "text/html", NOW),), None, 0.1)
    found = examine(heard, source, registry.get("rest"), options_of(source), city)
    assert found.error is not None
    assert found.error.kind == "garbage"


def test_each_field_says_where_it_comes_from_and_how_often_it_is_filled(
    source: Source, city: City
) -> None:
    found = look(source, city, row(1), row(2, uraian=None))
    use = {each.name: each for each in found.fields}
    assert (use["description"].expression, use["description"].share) == ("uraian", 0.5)
    assert use["category"].examples == ("Jalan",)
    assert "address" not in use


def test_examples_are_different_values_and_at_most_three(source: Source, city: City) -> None:
    found = look(source, city, *(row(n, status=f"s{n % 4}") for n in range(8)))
    use = {each.name: each for each in found.fields}
    assert use["status"].examples == ("s0", "s1", "s2")


def test_personal_data_is_masked_everywhere_in_the_findings(source: Source, city: City) -> None:
    nik, phone = "1671010101900001", "0812-3456-7890"
    found = look(
        source,
        city,
        row(1, uraian=f"hubungi {phone}", status=nik),
        row(2, tanggal=nik, kelurahan=phone),
        row(3, kelurahan=phone, jenis={"nama": "warga@surel.id"}),
        row(nik, tanggal="-"),
        row(nik),
    )
    plain = findings_to_plain(found)
    # What a source calls its category or status is kept as it is where it is stored.
    for each in plain["first"]:
        del each["status_raw"], each["category_raw"]
    text = json.dumps(plain, default=str)
    assert [word for word in (nik, phone, "warga@surel.id") if word in text] == []


def test_unknown_words_are_counted_so_that_they_can_be_mapped(source: Source, city: City) -> None:
    found = look(
        source,
        city,
        row(1),
        row(2, jenis={"nama": "Pohon"}),
        row(3, status="x"),
        row(4, status="x"),
    )
    assert found.unknown_categories == {"Pohon": 1}
    assert found.unknown_statuses == {"x": 2}


def test_regions_are_told_by_way_and_those_not_found_by_their_text(
    source: Source, city: City
) -> None:
    found = look(source, city, row(1), row(2, kelurahan="Antah Berantah"), row(3, kelurahan=None))
    assert found.placed_by == {"name": 1, "": 2}
    assert found.places_not_found == {"Antah Berantah": 1, "": 1}


def test_times_are_told_and_those_of_the_future_counted(source: Source, city: City) -> None:
    ahead = NOW + timedelta(hours=2)
    found = look(source, city, row(1), row(2, tanggal=ahead.isoformat()))
    assert found.oldest == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    assert found.newest == ahead
    assert found.in_future == 1


def test_a_record_of_two_pages_is_told_as_one_thing(source: Source, city: City) -> None:
    heard = Heard((answer(row(1)), answer(row(1), row(2))), None, 0.1)
    found = examine(heard, source, registry.get("rest"), options_of(source), city)
    assert (found.pages, found.usable, found.distinct) == (2, 3, 2)


def test_findings_are_ready_for_json(source: Source, city: City) -> None:
    found = look(source, city, row(1), row(2, tanggal=""))
    assert json.loads(json.dumps(findings_to_plain(found)))["usable"] == 1


@pytest.mark.parametrize(
    "key",
    ["nik", "NIK", "no_hp", "noHP", "phone", "namaPelapor", "nama", "first_name", "nama_lengkap",
     "email", "pelapor", "device_id", "tanggal_lahir", "account_id"],
)  # fmt: skip
def test_a_key_about_a_person_is_recognised(key: str) -> None:
    assert is_personal(key)


@pytest.mark.parametrize(
    "key",
    ["nama_kelurahan", "service_name", "unik", "status", "agency_responsible", "alamat", "id",
     "teknik", "kategori", "tanggal"],
)  # fmt: skip
def test_a_key_about_the_matter_is_not_taken_for_one_about_a_person(key: str) -> None:
    assert not is_personal(key)


def test_personal_keys_are_dropped_from_a_sample_at_any_depth() -> None:
    text, suffix = clean_answer(b'{"data": [{"id": 1, "pelapor": {"nama": "Sari"}, "no_hp": "0"}]}')
    assert suffix == "json"
    assert json.loads(text) == {"data": [{"id": 1}]}


def test_texts_of_a_sample_are_masked_and_so_is_an_identity_number_written_as_a_number() -> None:
    text, _ = clean_answer(b'[{"uraian": "hubungi 081234567890", "kode": 1671010101900001}]')
    assert json.loads(text) == [{"uraian": "hubungi [telepon]", "kode": "[NIK]"}]


def test_a_mapped_key_stays_and_the_same_word_elsewhere_does_not() -> None:
    body = b'[{"jenis": {"nama": "Jalan"}, "nama": "Sari", "pelapor": {"kota": "x", "nik": "1"}}]'
    text, _ = clean_answer(body, [("jenis", "nama"), ("pelapor", "kota")])
    assert json.loads(text) == [{"jenis": {"nama": "Jalan"}, "pelapor": {"kota": "x"}}]


def test_personal_elements_are_dropped_from_a_sample_in_xml() -> None:
    body = b"<r><q><id>1</id><phone>0812</phone><d>surel a@b.id</d></q></r>"
    text, suffix = clean_answer(body)
    assert (suffix, text.strip()) == ("xml", "<r><q><id>1</id><d>surel [surel]</d></q></r>")


@pytest.mark.parametrize("body", [b"id;nama\n1;Sari\n", b"<r><q></r>", b"<!DOCTYPE r><r/>"])
def test_what_cannot_be_masked_is_not_kept(body: bytes) -> None:
    with pytest.raises(LawangError, match="cannot be masked"):
        clean_answer(body)


def test_the_options_of_a_sample_hold_no_secret_and_no_address(source: Source) -> None:
    text = describe_options(answer(), source, options_of(source))
    assert KEY not in text
    assert "10.1.2.3" not in text


def test_a_sample_means_what_the_answer_meant(source: Source, city: City, tmp_path: Path) -> None:
    heard = answer(row(1, nama="Sari"), row(2, tanggal="?"))
    folder = tmp_path / "sample"
    write_sample(folder, heard, source, options_of(source))
    connector = registry.get("rest")
    stated = tomllib.loads((folder / "options.toml").read_text(encoding="utf-8"))
    body = (folder / "input.json").read_bytes()
    again = connector.parse(
        connector.options.model_validate(stated["connection"]),
        Answer(body, "", NOW, kind=stated["answer"]["kind"]),
    )
    before = connector.parse(options_of(source), heard)
    # Of the personal key that was dropped only the shape knows.
    assert replace(again, shape=before.shape) == before


def test_a_sample_is_never_written_over_another(source: Source, tmp_path: Path) -> None:
    write_sample(tmp_path / "s", answer(row(1)), source, options_of(source))
    with pytest.raises(LawangError, match="already"):
        write_sample(tmp_path / "s", answer(row(2)), source, options_of(source))
