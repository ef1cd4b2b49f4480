"""rules.toml is read strictly, and the pack's own recordings lead to what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lawang.city import City
from lawang.city.rules import read_rules
from lawang.domain.errors import LawangError, PackError
from lawang.domain.rule import Rule, Surge, Threshold
from lawang.rules.replay import compare, play, read_expected, read_recording, transition_to_plain
from lawang.settings import ROOT

RECORDINGS = sorted(
    file
    for file in (ROOT / "cities" / "palembang" / "rules_tests").glob("*.jsonl")
    if ".expected." not in file.name
)
GOOD = """\
[rule.air]
name_id = "Air"
name_en = "Water"
text_id = "{value} di {subject}"
text_en = "{value} at {subject}"
severity = "major"
owner = "bpbd"
simulated = true
steps_id = ["Periksa"]
steps_en = ["Check"]
[rule.air.when]
kind = "threshold"
source = "pengukur_air"
measure = "tinggi_air"
over = 270
"""


def read(tmp_path: Path, city: City, text: str) -> dict[str, Rule]:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    kecamatan = {region.code for region in city.kecamatan}
    return read_rules(file, city.sources, city.categories, city.opds, kecamatan)


def test_without_hysteresis_it_clears_where_it_began(tmp_path: Path, city: City) -> None:
    condition = read(tmp_path, city, GOOD)["air"].condition
    assert isinstance(condition, Threshold)
    assert (condition.over, condition.clears_at) == (270, 270)


def test_a_pack_without_rules_has_none(tmp_path: Path, city: City) -> None:
    assert read_rules(tmp_path / "rules.toml", city.sources, {}, {}, {}) == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"pengukur_air"', '"sumur"', 13, "no source 'sumur'"),
        ('"tinggi_air"', '"dalam"', 14, "not under \\[measures\\] of pengukur_air.toml"),
        ('owner = "bpbd"', 'owner = "nasa"', 7, "not in opd.toml"),
        ("over = 270", "over = 270\nunder = 3", 11, "either over or under"),
        ("over = 270", "over = 270\nclears_at = 300", 11, "must not be above over"),
        ("over = 270", "ovr = 270", 15, "not a known key"),
        ('"threshold"', '"magic"', 12, "must be one of threshold, rate"),
        ("{value} di {subject}", "{value} di {nama}", 4, "no placeholder"),
        ("{value} di {subject}", "{value:.2f}", 4, "no placeholder"),
        ("simulated = true", "", 1, "where the figures are from"),
        ("simulated = true", 'simulated = true\nregion = "16.71.99"', 9, "not the code of a kec"),
        ('steps_en = ["Check"]', 'steps_en = ["Check", "Go"]', 1, "as many"),
        ('"major"', '"awful"', 6, "'info', 'minor', 'major' or 'critical'"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, city: City, old: str, new: str, line: int, words: str
) -> None:
    with pytest.raises(PackError, match=words) as told:
        read(tmp_path, city, GOOD.replace(old, new, 1))
    assert told.value.line == line


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ('["air", "hujan"]', "no rule 'hujan'"),
        ('["air", "air"]', "named twice"),
        ('["air", "dua"]', "a combination itself"),
    ],
)
def test_a_combination_names_other_rules(
    tmp_path: Path, city: City, rules: str, words: str
) -> None:
    head, _ = GOOD.split("[rule.air.when]")
    when = f'kind = "combination"\nrules = {rules}\nwithin_s = 60\n'
    text = GOOD + head.replace("rule.air", "rule.dua") + f"[rule.dua.when]\n{when}"
    with pytest.raises(PackError, match=words):
        read(tmp_path, city, text)


def test_the_packs_rules_cover_every_kind_and_say_where_figures_are_from(city: City) -> None:
    conditions = {type(each.condition).__name__ for each in city.rules.values()}
    assert len(conditions) == 7
    assert all(each.simulated or each.basis for each in city.rules.values())
    surge = city.rules["lonjakan_banjir"].condition
    assert isinstance(surge, Surge)
    assert {"elapor", "sp4n", "pupr"} <= set(surge.sources)


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_a_recording_leads_to_what_is_expected_of_it(city: City, file: Path) -> None:
    found = [transition_to_plain(each) for each in play(city, read_recording(file))]
    expected = read_expected(file.with_name(f"{file.stem}.expected.jsonl"))
    assert expected
    assert compare(found, expected) == ([], [])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"at": "2026-11-20T10:00:00", "tick": true}', "2: at must be a time with a zone"),
        ('{"at": "2026-11-20T10:00:00Z", "wind": 1}', "2: give one of"),
        ("[1]", "2: must be an object"),
        ("{", "2: is not JSON"),
        ('{"at": "2026-11-20T08:00:00Z", "tick": true}', "in the order of their times"),
    ],
)
def test_a_mistake_in_a_recording_is_told_with_its_line(
    tmp_path: Path, line: str, words: str
) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text('{"at": "2026-11-20T09:00:00Z", "begin": true}\n' + line, encoding="utf-8")
    with pytest.raises(LawangError, match=words):
        read_recording(file)


def test_the_command_ends_with_1_where_something_else_was_expected(tmp_path: Path) -> None:
    (file,) = (each for each in RECORDINGS if each.stem == "diam")
    expected = file.with_name("diam.expected.jsonl").read_text(encoding="utf-8").splitlines()
    changed = {**json.loads(expected[0]), "value": 1}
    wrong = tmp_path / "expected.jsonl"
    wrong.write_text("\n".join([json.dumps(changed), *expected[1:]]), encoding="utf-8")
    command = [sys.executable, "-m", "cli", "rules", "test", str(file), "--json"]
    right = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert right.returncode == 0, right.stderr
    assert right.stdout.splitlines() == expected
    other = subprocess.run(
        [*command, "--expect", str(wrong)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert other.returncode == 1
    assert "+ " in other.stdout
