"""Personal data is masked; what only looks like it stays. Every number here is made up."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawang.domain.privacy import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("NIK 1671012345670001 atas nama pelapor", "NIK [NIK] atas nama pelapor"),
        ("NIK1671012345670001.", "NIK[NIK]."),
        ("RT 05 1671 0123 4567 0001", "RT 05 [NIK]"),
        ("1671-0123-4567-0001", "[NIK]"),
        ("167101 234567 0001", "[NIK]"),
        ("16.71.01.234567.0001", "[NIK]"),
        ("1 6 7 1 0 1 2 3 4 5 6 7 0 0 0 1", "[NIK]"),
        ("(1671012345670001)", "([NIK])"),
    ],
)
def test_an_identity_number_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("hubungi 081234567890 segera", "hubungi [telepon] segera"),
        ("hubungi 0812-3456-7890", "hubungi [telepon]"),
        ("WA 0812 3456 7890 ya", "WA [telepon] ya"),
        ("WA:0812.3456.7890", "WA:[telepon]"),
        ("0812 345 678", "[telepon]"),
        ("081 234 567 890", "[telepon]"),
        ("+6281234567890", "[telepon]"),
        ("+62 812-3456-7890", "[telepon]"),
        ("(+62) 812 3456 7890", "[telepon]"),
        ("wa.me/6281234567890", "wa.me/[telepon]"),
        ("+62 711 356789", "[telepon]"),
        ("(0711) 356789", "[telepon]"),
        ("telp 0711-356789", "telp [telepon]"),
        ("0812 - 3456 - 7890", "[telepon]"),
        ("081234567890 3 hari mati", "[telepon] 3 hari mati"),
        ("081234567890, 081298765432", "[telepon], [telepon]"),
        ("0812 3456 7890 2024", "[telepon] 2024"),
    ],
)
def test_a_telephone_number_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("email budi.contoh@example.com terima kasih", "email [surel] terima kasih"),
        ("<a+b@mail.example.co.id>", "<[surel]>"),
        ("081234567890@example.com", "[surel]"),
    ],
)
def test_an_email_address_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "-2.976073611111111, 104.7754310000000",
        "lat -2.9761234567890123 long 104.7754312345678901",
        "104,7754310812345678",
        "tanggal 08-11-2026 10:30:15",
        "08/11/2026 08.15 WIB, 09.12.2026",
        "2026-11-21T10:00:00.000+07:00",
        "2026-11-21T10:00:00+07:00 20261121100000",
        "kerugian Rp1.234.567 sampai Rp1.234.567.890.123.456",
        "Rp 812.345.678.900",
        "NOP 16.71.010.001.001-0001.0",
        "NOP 167101000100100010",
        "RT 05 RW 12 No. 0817",
        "kode pos 30139, tiang 0812",
        "16.71.03.1004",
        "kWh 12345678901",
        "jam 0800-1600 pada 2025-2026",
        "@dishubplg tolong",
        "kirim ke a@b tidak lengkap",
    ],
)
def test_other_numbers_and_words_stay(text: str) -> None:
    assert mask(text) == text


@settings(deadline=None)
@given(st.text(alphabet="0123456789 .-+()@ab/,\n", max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@settings(deadline=None)
@given(st.text(alphabet="abc \n", max_size=40), st.text(alphabet="abc \n", max_size=40))
def test_an_identity_number_is_found_between_any_words(before: str, after: str) -> None:
    assert "1671012345670001" not in mask(f"{before}1671012345670001{after}")


@pytest.mark.parametrize("unit", ["a", "1", "1 ", "08", "+62", "a@", "a.", "16.71.", "(0711)"])
def test_hostile_text_costs_little(unit: str) -> None:
    began = time.process_time()
    mask(unit * (40_000 // len(unit)))
    assert time.process_time() - began < 1
