from __future__ import annotations

import random
import re

import pytest

from simulator.elapor.services import SERVICES
from simulator.texts import CLOSINGS, DETAILS, PROBLEMS, Spot, describe

SPOT = Spot("Lr. Mawar", 4, 2, "5 Ulu", "Seberang Ulu I", ("Jembatan Ampera",))
_INDONESIAN = re.compile(
    r"\b(di|yang|yg|sudah|sdh|tidak|tdk|belum|blm|dan|mohon|tolong|tlg|ada|jalan|air|lampu|sampah|"
    r"pohon|banjir|got|saluran|saya|warga|dekat|pelayanan|berisik|macet|parkir|antre|jaringan|"
    r"bantuan|setiap|tiap|dicek|mati|pipa|trotoar)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def written() -> list[str]:
    rng = random.Random(1)
    return [describe(rng, service.code, SPOT) for service in SERVICES for _ in range(300)]


def test_there_are_at_least_150_distinct_sentences() -> None:
    sentences = {*(text for texts in PROBLEMS.values() for text in texts), *DETAILS, *CLOSINGS}
    assert len(sentences) >= 150


def test_every_service_has_words_of_its_own() -> None:
    assert {service.code for service in SERVICES} <= PROBLEMS.keys()


def test_texts_are_indonesian(written: list[str]) -> None:
    # A typing slip may hit the only common word of a two-word report.
    unrecognised = [text for text in written if not _INDONESIAN.search(text)]
    assert len(unrecognised) < 0.02 * len(written), unrecognised[:5]


def test_no_placeholder_is_left(written: list[str]) -> None:
    assert not [text for text in written if "{" in text or "}" in text]


def test_lengths_run_from_terse_to_long(written: list[str]) -> None:
    words = [len(text.split()) for text in written]
    assert min(words) <= 2
    assert max(words) >= 30


def test_texts_rarely_repeat(written: list[str]) -> None:
    assert len(set(written)) > 0.8 * len(written)


def test_some_are_shouted_and_some_carry_emoji(written: list[str]) -> None:
    assert any(text.isupper() for text in written)
    assert any("🙏" in text for text in written)


def test_personal_numbers_occur_and_are_all_impossible(written: list[str]) -> None:
    numbers = [re.sub(r"\D", "", number) for text in written for number in _long_numbers(text)]
    assert numbers
    assert all(re.fullmatch(r"(0|62)8120000\d{4}|167101000000\d{4}", number) for number in numbers)


def test_both_telephone_numbers_and_nik_like_numbers_occur(written: list[str]) -> None:
    lengths = {len(re.sub(r"\D", "", number)) for text in written for number in _long_numbers(text)}
    assert lengths >= {12, 16}


def _long_numbers(text: str) -> list[str]:
    return re.findall(r"\d[\d \-]{8,}\d", text)
