"""Screens and the status by the API: what walls should show, heartbeats, commands, the status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from api.screens import Pace
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.api.conftest import Web, board_of, make_installation, sentence_of, serve_web, until

KEY = "kunci-operator-uji-0123456789"


@dataclass
class Walls:
    web: Web
    history: History
    live: LiveStore

    def screen(self, name: str) -> dict[str, Any]:
        return dict(self.web.client.get(f"/api/v1/screens/{name}").json())

    def beat(self, name: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        values = {"build": self.build, "scene": "kota", **body}
        return self.web.client.post(
            f"/api/v1/screens/{name}/heartbeat", json=values, headers=headers
        )

    def tell(self, name: str, **body: Any) -> httpx.Response:
        return self.web.client.post(f"/api/v1/screens/{name}/commands", json={"by": "Sari", **body})

    @property
    def build(self) -> str:
        return str(self.web.client.get("/healthz").json()["build"])


@pytest.fixture(scope="module")
def walls(
    city: City, _migrated_sqlite: Path, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walls]:
    folder = tmp_path_factory.mktemp("walls")
    path = folder / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        installation = make_installation(city, history, valkey_url, folder, operator_token=KEY)
        with board_of(installation) as live, serve_web(installation) as web:
            until(lambda: web.client.get("/readyz").status_code == 200, "a ready web process")
            yield Walls(web, history, live)


def test_every_screen_says_what_it_should_show_now_and_next(walls: Walls) -> None:
    answer = walls.web.client.get("/api/v1/screens").json()
    assert [each["id"] for each in answer["screens"]] == ["utama", "operator", "dinding"]
    assert answer["programme"]["problem"] is None
    at = datetime.fromisoformat(answer["at"])
    for screen in answer["screens"]:
        assert screen["now"]
        assert screen["next"]
        assert all(datetime.fromisoformat(item["until"]) > at for item in screen["now"])
        assert datetime.fromisoformat(screen["next_at"]) > at


def test_a_screen_that_was_never_heard_says_so(walls: Walls) -> None:
    screen = walls.screen("operator")
    assert (screen["state"], screen["beat"], screen["dark_since"]) == ("never", None, None)


def test_a_heartbeat_makes_a_screen_alive_and_is_told_the_time(walls: Walls) -> None:
    behind = utc_now() - timedelta(hours=7)
    answer = walls.beat("utama", fps=59.9, oldest_panel_s=1.5, clock=behind.isoformat())
    assert answer.status_code == 200, answer.text
    assert -25_230 < answer.json()["skew_s"] <= -25_200
    screen = walls.screen("utama")
    assert (screen["state"], screen["beat"]["clock_wrong"]) == ("alive", True)
    assert [each["scene"] for each in answer.json()["now"]]


def test_a_wall_of_another_build_is_old(walls: Walls) -> None:
    walls.beat("operator", build="kemarin")
    assert walls.screen("operator")["state"] == "old_build"
    walls.beat("operator", fps=0)
    assert walls.screen("operator")["state"] == "frozen"


def test_a_command_reaches_its_wall_with_one_heartbeat(walls: Walls) -> None:
    told = walls.tell("dinding", kind="identify")
    assert told.status_code == 201, told.text
    assert [each["kind"] for each in walls.beat("dinding").json()["commands"]] == ["identify"]
    assert walls.beat("dinding").json()["commands"] == []
    log = walls.web.client.get("/api/v1/screens/dinding/commands").json()
    assert (log[0]["by"], log[0]["taken_at"] is not None) == ("Sari", True)


def test_the_board_is_told_of_what_walls_shall_see_at_once(walls: Walls) -> None:
    with closing(walls.live.listen_changed()) as subscription:

        def is_told() -> bool:
            message = subscription.get_message(timeout=0.2)
            return message is not None and bool(orjson.loads(message["data"]).get("screens"))

        walls.tell("dinding", kind="identify")
        until(is_told, "word of a command")
        walls.beat("dinding")
        until(is_told, "word of a command that was fetched")
        status = {"level": 2, "by": "Sari", "reason": "latihan"}
        walls.web.client.post("/api/v1/status", json=status)
        until(is_told, "word of the status")
        walls.web.client.post("/api/v1/status/end", json={"by": "Sari"})
        until(is_told, "word of the status given back")
        walls.beat("dinding", scene="kamera")
        until(is_told, "word of another scene")


def test_a_scene_sent_by_hand_is_shown_at_once_and_given_back(walls: Walls) -> None:
    told = walls.tell("dinding", kind="scene", scene="kamera", for_s=600, category=["banjir"])
    (item,) = told.json()["screen"]["now"]
    assert (item["scene"], item["why"], item["cause"]) == ("kamera", "manual", "Sari")
    assert item["filters"]["category"] == ["banjir"]
    back = walls.tell("dinding", kind="resume").json()["screen"]
    assert (back["manual"], {each["why"] for each in back["now"]} & {"manual"}) == (None, set())


def test_silence_lasts_until_its_end(walls: Walls) -> None:
    muted = walls.tell("utama", kind="mute", for_s=60).json()["screen"]["muted"]
    assert muted["by"] == "Sari"
    assert walls.tell("utama", kind="unmute").json()["screen"]["muted"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "explode"}, 422),
        ({"kind": "scene"}, 422),
        ({"kind": "scene", "scene": "pasar"}, 422),
        ({"kind": "reload", "scene": "kota"}, 422),
        ({"kind": "reload", "for_s": 60}, 422),
        ({"kind": "scene", "scene": "kota", "kecamatan": ["99.99.99"]}, 422),
        ({"kind": "reload", "by": ""}, 422),
        ({"kind": "reload", "by": "a\nb"}, 422),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    walls: Walls, body: dict[str, Any], status: int
) -> None:
    answer = walls.tell("utama", **body)
    assert answer.status_code == status
    assert sentence_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        {"fps": -1},
        {"fps": "NaN"},
        {"heap_bytes": 2**80},
        {"scene": "../x"},
        {"clock": "2026-11-23T10:00:00"},
        {"last_error": "\x00"},
        {"last_error": "x" * 301},
        {"extra": 1},
    ],
)
def test_a_heartbeat_that_is_none_is_refused(walls: Walls, body: dict[str, Any]) -> None:
    headers = {"x-test": "1"}
    assert walls.beat("operator", headers, **body).status_code in (422, 429)


def test_an_unknown_screen_is_not_there(walls: Walls) -> None:
    for answer in (
        walls.web.client.get("/api/v1/screens/hantu"),
        walls.beat("hantu"),
        walls.tell("hantu", kind="reload"),
    ):
        assert answer.status_code == 404
        assert "screens.toml" in sentence_of(answer)


def test_a_heartbeat_from_another_site_is_refused(walls: Walls) -> None:
    assert walls.beat("utama", {"origin": "https://jahat.example"}).status_code == 403


def test_commands_and_the_status_are_for_operators(walls: Walls) -> None:
    foreign = {"x-forwarded-for": "10.0.0.9"}
    for path, body in (
        ("/api/v1/screens/utama/commands", {"kind": "reload", "by": "Sari"}),
        ("/api/v1/status", {"level": 3, "by": "Sari", "reason": "uji coba"}),
        ("/api/v1/status/end", {"by": "Sari"}),
    ):
        answer = walls.web.client.post(path, json=body, headers=foreign)
        assert answer.status_code == 401
        allowed = {**foreign, "authorization": f"Bearer {KEY}"}
        assert walls.web.client.post(path, json=body, headers=allowed).status_code in (200, 201)
    walls.beat("utama")


def test_a_revoked_key_opens_no_screen(walls: Walls) -> None:
    token, key = walls.history.screens.make_token("Ruang", "Sari", utc_now(), "dinding")
    good = {"authorization": f"Bearer {key}"}
    assert walls.beat("dinding", good).status_code == 200
    assert walls.beat("operator", good).status_code in (401, 429)
    walls.history.screens.revoke_token(token.id, utc_now())
    refused = walls.beat("dinding", good)
    assert refused.status_code == 401
    assert key not in refused.text


def test_the_password_for_a_proxy_is_no_key_of_a_screen(walls: Walls) -> None:
    assert walls.beat("dinding", {"authorization": "Basic eA=="}).status_code == 200


def test_a_wall_that_beats_without_end_is_slowed_down(walls: Walls) -> None:
    answers = [walls.beat("operator") for _ in range(15)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "too often" in sentence_of(answers[-1])


def test_the_pace_is_kept_by_key_and_comes_back_with_time() -> None:
    now = 0.0
    pace = Pace(2, 0.5, lambda: now)
    assert [pace.wait_s("a") for _ in range(3)] == [0, 0, 2]
    assert pace.wait_s("b") == 0
    now = 2.0
    assert (pace.wait_s("a"), pace.wait_s("a") > 0) == (0, True)


def test_the_status_is_set_by_hand_and_given_back(walls: Walls) -> None:
    before = walls.web.client.get("/api/v1/status").json()
    assert (before["now"]["level"], len(before["levels"])) == (before["computed"], 5)
    body = {"level": 4, "by": "Sari", "reason": "latihan bersama", "for_s": 600}
    raised = walls.web.client.post("/api/v1/status", json=body).json()
    assert (raised["now"]["level"], raised["by_hand"]["by"]) == (4, "Sari")
    assert raised["now"]["actions_id"]
    assert (raised["log"][0]["level"], raised["log"][0]["reason"]) == (4, "latihan bersama")
    given_back = walls.web.client.post("/api/v1/status/end", json={"by": "Budi"}).json()
    assert (given_back["now"]["level"], given_back["by_hand"]) == (before["now"]["level"], None)


def test_a_status_needs_a_level_a_name_and_a_reason(walls: Walls) -> None:
    for body in ({"level": 6, "by": "Sari", "reason": "uji"}, {"level": 3, "by": "Sari"}):
        answer = walls.web.client.post("/api/v1/status", json=body)
        assert answer.status_code == 422
        assert sentence_of(answer)
