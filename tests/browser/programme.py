"""A demonstration of every department in a flood, whose screens follow short programmes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.installation.running import PALEMBANG, Demo, run_demo, wait_until

#: The scenes that the two small screens turn through, and how long each is shown.
ROUND = ("kota", "sumber", "layanan")
DWELL_S = 5
#: The rule that the tests raise, by silencing the buses' department.
RULE = "uji_bus_diam"
BUSES = ("transmusi", "transmusi_info", "transmusi_jadwal")
#: The scenes that stand in the cells of the video wall, from left to right.
BESIDE = ("kejadian", "kota", "bencana")

_SCREENS = f"""
[screens.satu]
name = "Layar satu"
size = [1920, 1080]
playlist = "pendek"

[screens.dua]
name = "Layar dua"
size = [1920, 1080]
playlist = "pendek"

[screens.tetap]
name = "Layar tetap"
size = [1920, 1080]
playlist = "kota"

[screens.dinding]
name = "Dinding video"
size = [5760, 2160]
columns = 3
rows = 1
cells = [
  {{ id = "kiri", playlist = "{BESIDE[0]}", column = 1 }},
  {{ id = "tengah", playlist = "{BESIDE[1]}", column = 2 }},
  {{ id = "kanan", playlist = "{BESIDE[2]}", column = 3 }},
]

[[interrupt]]
id = "bus_diam"
severity = "critical"
rules = ["{RULE}"]
scene = "transportasi"
screens = ["satu", "dua"]
least_s = 10
most_s = 600
"""
_RULE = f"""
[rule.{RULE}]
name_id = "Trans Musi diam"
name_en = "Trans Musi is silent"
text_id = "{{subject}} tidak menjawab selama {{value}} menit"
text_en = "{{subject}} has not answered for {{value}} minutes"
severity = "critical"
owner = "dishub"
simulated = true
steps_id = ["Hubungi pengendali koridor", "Umumkan lewat Info Trans Musi"]
steps_en = ["Call the corridor's dispatcher", "Announce it by Info Trans Musi"]

[rule.{RULE}.when]
kind = "absence"
source = "transmusi_jadwal"
silent_s = 20
"""


def playlist(name: str, *scenes: str, dwell_s: int | str = 86_400) -> str:
    """A playlist of `screens.toml` that shows each scene equally long."""
    return "".join(
        f'\n[[playlists.{name}.items]]\nscene = "{scene}"\ndwell_s = {dwell_s}\n'
        for scene in scenes
    )


@dataclass
class ProgrammeDemo:
    """A demonstration with its pack, whose files the tests change."""

    demo: Demo
    pack: Path

    @property
    def url(self) -> str:
        return self.demo.url

    def write_round(self, *scenes: str, dwell_s: int | str = DWELL_S) -> None:
        """Save another `screens.toml`, in which the small screens turn through these scenes."""
        write_screens(self.pack, playlist("pendek", *scenes, dwell_s=dwell_s))

    def programme(self) -> dict[str, Any]:
        """What `GET /api/v1/screens` tells of the file."""
        answer = self.demo.web.get("/api/v1/screens").raise_for_status().json()
        found: dict[str, Any] = answer["programme"]
        return found

    def coming(self) -> set[str]:
        """The scenes that a small screen should show now and next."""
        screen = self.demo.web.get("/api/v1/screens/satu").raise_for_status().json()
        return {item["scene"] for when in ("now", "next") for item in screen[when]}

    def silence_buses(self, kind: str = "off") -> None:
        """Take the buses' department from the line; "none" brings it back."""
        address = f"http://127.0.0.1:{self.demo.port + 1}/transmusi/_fault"
        httpx.post(address, json={"kind": kind}, timeout=20, trust_env=False).raise_for_status()


def write_screens(pack: Path, short: str) -> None:
    """The city's scenes and status with the tests' screens and playlists."""
    city = (PALEMBANG / "screens.toml").read_text(encoding="utf-8")
    scenes = city[city.index("[scenes.") : city.index("[screens.")]
    status = city[city.index("[status.1]") :]
    own = short + "".join(playlist(scene, scene) for scene in BESIDE)
    (pack / "screens.toml").write_text(scenes + _SCREENS + own + status, encoding="utf-8")


def _quickly(text: str) -> str:
    """A source that is polled every 3 s and down after 15."""
    return re.sub(
        r"^\[simulated\]\nevery_s = \d+\ntimeout_s = \d+\n",
        "[simulated]\nevery_s = 3\ntimeout_s = 2.9\ndown_after_s = 15\n",
        text,
        flags=re.MULTILINE,
    )


@contextmanager
def run_programme(folder: Path) -> Iterator[ProgrammeDemo]:
    """The demonstration, once every scene has something to show; ended at the end."""
    pack = Path(shutil.copytree(PALEMBANG, folder / "palembang"))
    write_screens(pack, playlist("pendek", *ROUND, dwell_s=DWELL_S))
    with (pack / "rules.toml").open("a", encoding="utf-8") as rules:
        rules.write(_RULE)
    for source in BUSES:
        file = pack / "sources" / f"{source}.toml"
        file.write_text(_quickly(file.read_text(encoding="utf-8")), encoding="utf-8")
    with run_demo(folder, "--scenario", "banjir", LAWANG_CITY=str(pack)) as demo:
        wait_until(lambda: _has_numbers(demo), 300, "the numbers of every scene", every_s=2)
        yield ProgrammeDemo(demo, pack)


def _has_numbers(demo: Demo) -> bool:
    """Whether every source was heard and the indicators are known."""
    sources = demo.web.get("/api/v1/sources").raise_for_status().json()["sources"]
    if any(each["health"] == "never" for each in sources):
        return False
    text = ""
    with demo.web.stream("GET", "/stream?panels=finance,morning,services,health") as stream:
        for piece in stream.iter_lines():
            if piece.startswith("data:"):
                text = piece
                break
    return all(f'"{name}"' in text for name in ("revenue", "figures", "promises", "entries"))
