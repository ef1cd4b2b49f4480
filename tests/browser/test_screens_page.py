"""The operator's desk in a real browser: who acts is in the log, and what was refused is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from lawang.board.worker import BoardWorker
from lawang.build import build_id
from lawang.city import City
from lawang.domain.alarm import (
    AlarmSeverity,
    Judgement,
    Transition,
    TransitionKind,
    Watch,
    WatchState,
)
from lawang.domain.clock import utc_now
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.domain.status import SeenAlarm
from lawang.installation import Installation
from lawang.rules.panel import AlarmsPanel
from lawang.screens.alarms import alarms_of
from lawang.screens.desk import ScreenDesk, still_programme
from lawang.screens.panel import ScreenPanels
from lawang.settings import Settings
from lawang.store.alarms import Step
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.browser.axe import grave_faults
from tests.browser.conftest import OpenScreen
from tests.browser.mayor import serve
from tests.browser.screen import Screen
from tests.browser.test_pages import save
from tests.installation.running import free_ports, wait_until
from tests.rules.desk import SOURCE, rule

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.__planted=true><script>window.__planted=true</script>"
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
CARD = '[data-screen="utama"]'
#: What was told beside the buttons of the test before.
_FORGET = """() => {
  for (const told of document.querySelectorAll('.told')) {
    told.replaceChildren();
    delete told.dataset.kind;
  }
}"""

#: The signs before the words of severity, from the top.
_SIGNS = """() => [...document.querySelectorAll('.alert-head .severity')]
  .map((each) => getComputedStyle(each, '::before').content.replace(/["\\s]/g, ''))"""


@dataclass
class DeskSite:
    """A web process and a board whose alerts are what the tests put into history."""

    installation: Installation
    live: LiveStore
    port: int
    #: While this is set the board finds no history.
    history_away: Event = field(default_factory=Event)
    raised: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def history(self) -> History:
        return self.installation.history

    def raise_alert(self, rule_id: str = "sedang", state: WatchState = WatchState.ACTIVE) -> int:
        """A new alert; its number."""
        self.raised += 1
        at = utc_now() - timedelta(seconds=1800 - self.raised)
        self._keep(rule_id, WatchState.ACTIVE, TransitionKind.RAISED, at)
        if state is WatchState.UNKNOWN:
            self._keep(rule_id, state, TransitionKind.UNKNOWN, at)
        self.live.note_alarms()
        return max(each.id for each in self.history.alarms.open())

    def _keep(self, rule_id: str, state: WatchState, kind: TransitionKind, at: datetime) -> None:
        key, known = f"{rule_id}-{self.raised}", state is WatchState.ACTIVE
        watch = Watch(
            rule=rule_id, key=key, state=state, since=at, region="16.71.01", began_at=at,
            raised_at=at, why="" if known else "vanished",
        )  # fmt: skip
        judgement = Judgement(
            key=key, holds=True if known else None, value=280.5, at=at, mark="1", subject=key,
            subject_name=HOSTILE,
        )  # fmt: skip
        step = Step(
            watch=watch,
            judgement=judgement,
            transitions=(Transition(rule=rule_id, key=key, kind=kind, at=at),),
            severity=self.installation.city.rules[rule_id].severity,
            simulated=True,
        )
        self.history.alarms.apply([step], at)

    def clear(self) -> None:
        """No alert is open, nothing was sent by hand, and the rules decide."""
        for each in self.history.alarms.open():
            self.history.alarms.resolve(each.id, by="Uji", note="bersih", at=utc_now())
        for kind in ("resume", "unmute"):
            self.post("/api/v1/screens/utama/commands", kind=kind, by="Uji")
        self.post("/api/v1/status/end", by="Uji")
        self.live.note_alarms()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=40, trust_env=False)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}{path}", timeout=40, trust_env=False).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def events(self, alert: int) -> list[tuple[str, str, str]]:
        """The log of an alert: what, by whom, with what note."""
        found = self.get(f"/api/v1/alerts/{alert}")["events"]
        return [(each["kind"], each["by"], each["note"]) for each in found]

    def beat(self, screen: str = "utama", **changes: Any) -> dict[str, Any]:
        """Say that a wall is alive, as its page does; what it is told."""
        values = {"build": self.get("/healthz")["build"], "scene": "kota", "fps": 30.0}
        return self.post(f"/api/v1/screens/{screen}/heartbeat", **{**values, **changes})


@contextmanager
def open_desk_site(city: City, valkey_url: str, database: Path, folder: Path) -> Iterator[DeskSite]:
    path = folder / "history.sqlite3"
    path.write_bytes(database.read_bytes())
    port = free_ports()
    rules = {
        "sedang": rule(id="sedang", name_id="Air naik", name_en="Water rises"),
        "gawat": rule(id="gawat", severity=AlarmSeverity.CRITICAL, name_id="Gawat"),
        "jahat": rule(id="jahat", severity=AlarmSeverity.MINOR, name_id=HOSTILE),
    }
    own = replace(city, slug=f"desk-{port}", rules=rules)
    settings = Settings(data_dir=folder, simulator_url="http://127.0.0.1:9")
    with ExitStack() as stack:
        history = stack.enter_context(closing(History(open_engine(f"sqlite:///{path}"))))
        installation = Installation(settings, own, history, valkey_url)
        live = stack.enter_context(closing(installation.open_live()))
        states = {
            each: SourceState(source_id=each, last_success=utc_now(), records=1)
            for each in own.sources
        }
        for state in states.values():
            live.put(state=state)
        site = DeskSite(installation, live, port)
        known = alarms_of(own, history)

        def alarms(at: datetime) -> Sequence[SeenAlarm] | None:
            if site.history_away.is_set():
                raise StoreError("network")
            return known(at)

        desk = ScreenDesk(
            still_programme(own),
            history.screens,
            own.timezone,
            build_id(settings.pack_dir),
            utc_now,
            alarms,
        )
        board = BoardWorker(
            own,
            history,
            live,
            clock=utc_now,
            alarms=AlarmsPanel(own, history),
            screens=ScreenPanels(own, desk, lambda: states, lambda _at: None),
        )
        board.start()
        stack.callback(board.stop)
        stack.enter_context(serve(installation, port))
        wait_until(lambda: site.get("/healthz"), 60, "the desk's site")
        yield site


@pytest.fixture(scope="module")
def desk_site(
    city: City, valkey_url: str, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DeskSite]:
    folder = tmp_path_factory.mktemp("desk")
    with open_desk_site(city, valkey_url, _migrated_sqlite, folder) as opened:
        yield opened


@pytest.fixture
def site(desk_site: DeskSite) -> DeskSite:
    desk_site.clear()
    return desk_site


@pytest.fixture(scope="module")
def shared_desk(desk_site: DeskSite, open_shared_screen: OpenScreen) -> Screen:
    return open_desk(desk_site, open_shared_screen)


@pytest.fixture
def desk(shared_desk: Screen, site: DeskSite) -> Screen:
    """The module's desk, with nobody's name, no alert and nothing told."""
    sign(shared_desk, "")
    shared_desk.script(_FORGET)
    shared_desk.wait("() => !document.querySelector('.alert-row')")
    shared_desk.wait("() => !document.querySelector('[data-why=\"manual\"], .by-hand')")
    return shared_desk


@pytest.fixture
def own_desk(site: DeskSite, open_screen: OpenScreen) -> Screen:
    """A desk that a test may spoil."""
    return open_desk(site, open_screen)


def open_desk(
    site: DeskSite, open_screen: OpenScreen, path: str = "/screens", pictures: bool = False,
    **options: Any,
) -> Screen:  # fmt: skip
    screen = open_screen(site, **{"viewport": DESK, **options})
    if not pictures:
        screen.page.route("**/wall/*thumb=1*", lambda route: route.fulfill(body=""))
    screen.go(path)
    screen.wait("() => document.querySelectorAll('.wall-card').length === 3")
    screen.wait("() => document.querySelector('.desk-summary p:not(:empty)')")
    screen.wait("() => document.querySelector('.status-number')")
    return screen


def alert(number: int) -> str:
    return f'[data-alert="{number}"]'


def sign(screen: Screen, name: str = "Sari") -> None:
    screen.page.fill("#operator-name", name)


def press(screen: Screen, where: str, label: str) -> None:
    screen.page.locator(where).get_by_role("button", name=label, exact=True).click()


def wait_told(screen: Screen, where: str, kind: str) -> str:
    """What stands beside the buttons, once it is of that kind."""
    screen.page.locator(f'{where} .told[data-kind="{kind}"]').first.wait_for()
    return screen.page.locator(f"{where} .told").first.inner_text()


def wait_order(screen: Screen, *numbers: int) -> None:
    screen.wait(
        "(wanted) => JSON.stringify([...document.querySelectorAll('[data-alert]')]"
        ".map((each) => Number(each.dataset.alert))) === JSON.stringify(wanted)",
        argument=list(numbers),
    )


def test_who_acknowledges_an_alert_is_in_its_log(desk: Screen, site: DeskSite) -> None:
    number = site.raise_alert()
    sign(desk)
    press(desk, alert(number), "Akui")
    assert wait_told(desk, alert(number), "good") == "Sudah diakui."
    assert site.events(number)[-1] == ("acknowledged", "Sari", "")
    desk.page.locator(f"{alert(number)} summary").click()
    desk.page.locator(f"{alert(number)} .log").get_by_text("diakui · Sari").wait_for()


def test_the_name_is_kept_for_the_next_time(own_desk: Screen) -> None:
    sign(own_desk, "Budi")
    own_desk.page.reload()
    own_desk.wait("() => document.querySelector('#operator-name')")
    assert own_desk.page.input_value("#operator-name") == "Budi"


def test_nothing_is_done_without_a_name(desk: Screen, site: DeskSite) -> None:
    number = site.raise_alert()
    press(desk, alert(number), "Akui")
    assert "Tulis dulu nama Anda" in wait_told(desk, alert(number), "bad")
    assert desk.script("() => document.activeElement.id") == "operator-name"
    assert [kind for kind, _by, _note in site.events(number)] == ["raised"]


def test_a_refusal_is_told_beside_the_button(own_desk: Screen, site: DeskSite) -> None:
    number = site.raise_alert()
    sign(own_desk)
    # As if the call came through a proxy: then nobody is at this machine.
    own_desk.page.set_extra_http_headers({"X-Forwarded-For": "203.0.113.7"})
    press(own_desk, alert(number), "Akui")
    told = wait_told(own_desk, alert(number), "bad")
    assert "Ditolak: komputer ini tidak boleh" in told
    assert "LAWANG_OPERATOR_TOKEN" in told
    assert site.events(number)[-1][0] == "raised"


def test_what_is_shelved_has_a_reason_and_an_end_and_stands_last(
    desk: Screen, site: DeskSite
) -> None:
    worst, other = site.raise_alert("gawat"), site.raise_alert()
    wait_order(desk, worst, other)
    sign(desk)
    press(desk, alert(worst), "Tunda…")
    desk.page.locator(f"{alert(worst)} form input").fill("pompa diuji")
    desk.page.locator(f"{alert(worst)} form select").select_option("1800")
    press(desk, alert(worst), "Tunda")
    assert wait_told(desk, alert(worst), "good").startswith("Ditunda sampai ")
    wait_order(desk, other, worst)
    assert site.events(worst)[-1] == ("shelved", "Sari", "pompa diuji")
    assert "Ditunda oleh Sari sampai" in desk.text(f"{alert(worst)} .alert-facts")


def test_what_is_resolved_says_so_before_it_leaves_the_list(
    own_desk: Screen, site: DeskSite
) -> None:
    number = site.raise_alert()
    sign(own_desk)
    press(own_desk, alert(number), "Selesaikan…")
    own_desk.page.locator(f"{alert(number)} form input").fill("alat diganti")
    press(own_desk, alert(number), "Selesaikan")
    assert wait_told(own_desk, alert(number), "good").startswith("Diselesaikan.")
    own_desk.page.locator(".alerts-none").wait_for()
    assert "berakhir" in own_desk.text(f"{alert(number)} .alert-head")
    assert site.events(number)[-1] == ("resolved", "Sari", "alat diganti")


def test_alerts_stand_worst_first_with_their_state_and_steps(desk: Screen, site: DeskSite) -> None:
    minor = site.raise_alert("jahat")
    silent = site.raise_alert("sedang", WatchState.UNKNOWN)
    critical = site.raise_alert("gawat")
    wait_order(desk, critical, silent, minor)
    assert desk.script(_SIGNS) == ["◆", "▲", "●"]
    assert "tidak diketahui: pembacaannya berhenti" in desk.text(f"{alert(silent)} .alert-state")
    assert desk.text(f"{alert(critical)} .steps") == "Periksa"
    assert "Yang bertindak: BPBD" in desk.text(f"{alert(critical)} .alert-facts")


def test_the_worst_alert_stands_first_however_many_are_newer(desk: Screen, site: DeskSite) -> None:
    worst = site.raise_alert("gawat")
    for _ in range(201):
        site.raise_alert("jahat")
    desk.wait("(many) => document.querySelectorAll('[data-alert]').length === many", argument=202)
    assert desk.script("() => document.querySelector('[data-alert]').dataset.alert") == str(worst)


def test_what_departments_and_walls_write_is_text(desk: Screen, site: DeskSite) -> None:
    number = site.raise_alert("jahat")
    site.beat("operator", last_error=HOSTILE, errors=1)
    desk.page.locator(f"{alert(number)} h3").get_by_text(HOSTILE).wait_for()
    desk.page.locator('[data-screen="operator"]').get_by_text(HOSTILE).wait_for()
    assert desk.script("() => window.__planted") is None


def test_a_list_that_cannot_be_read_says_of_when_it_is(own_desk: Screen, site: DeskSite) -> None:
    own_desk.page.route("**/api/v1/alerts?*", lambda route: route.abort())
    site.raise_alert()
    own_desk.page.locator("#desk-alerts .desk-trouble").get_by_text("daftar pukul").wait_for()
    assert own_desk.page.locator('#desk-alerts[data-old="true"]').count() == 1


def test_a_list_that_is_waited_for_in_vain_is_told_as_well(
    own_desk: Screen, site: DeskSite
) -> None:
    own_desk.page.route("**/api/v1/alerts?*", lambda _route: None)
    trouble = own_desk.page.locator("#desk-alerts .desk-trouble").get_by_text("daftar pukul")
    # News keeps coming, and each asks anew before the question before it was given up.
    for _ in range(8):
        site.raise_alert()
        if trouble.count():
            break
        own_desk.page.wait_for_timeout(4000)
    assert own_desk.page.locator('#desk-alerts[data-old="true"]').count() == 1


def test_no_alert_is_no_good_news_while_its_source_is_silent(desk: Screen, site: DeskSite) -> None:
    heard = SourceState(source_id=SOURCE, last_success=utc_now(), records=1)
    site.live.put(state=heard)
    desk.page.locator('#desk-alerts[data-unsure="false"]').wait_for()
    site.live.put(state=replace(heard, last_success=utc_now() - timedelta(days=1)))
    desk.page.locator('#desk-alerts[data-unsure="true"]').wait_for()
    assert "mungkin ada lagi" in desk.text("#desk-alerts")


def test_a_command_is_delivered_with_the_next_heartbeat(desk: Screen, site: DeskSite) -> None:
    site.beat()
    sign(desk)
    press(desk, CARD, "Kenali")
    wait_told(desk, CARD, "good")
    desk.page.locator(CARD).get_by_text("perintah menunggu detak berikutnya").wait_for()
    told = site.beat()["commands"]
    assert [(each["kind"], each["by"]) for each in told if each["kind"] == "identify"] == [
        ("identify", "Sari")
    ]
    desk.page.locator(CARD).get_by_text("perintah menunggu").wait_for(state="detached")


def test_a_screen_is_reloaded_by_the_second_press_only(desk: Screen, site: DeskSite) -> None:
    sign(desk)
    site.beat()
    press(desk, CARD, "Muat ulang")
    assert site.beat()["commands"] == []
    press(desk, CARD, "Tekan lagi: Muat ulang")
    wait_told(desk, CARD, "good")
    assert [each["kind"] for each in site.beat()["commands"]] == ["reload"]


def test_a_scene_is_sent_and_taken_back(desk: Screen, site: DeskSite) -> None:
    sign(desk)
    form = desk.page.locator(f"{CARD} form")
    form.locator("select").first.select_option("bencana")
    form.get_by_role("button").click()
    assert wait_told(desk, CARD, "good").startswith("Bencana sampai ")
    desk.page.locator(f'{CARD} [data-why="manual"]').get_by_text("dikirim oleh Sari").wait_for()
    press(desk, CARD, "Lanjutkan program")
    desk.page.locator(f'{CARD} [data-why="manual"]').wait_for(state="detached")


def test_a_screen_is_muted_for_a_while(desk: Screen, site: DeskSite) -> None:
    sign(desk)
    press(desk, CARD, "Bisukan")
    assert wait_told(desk, CARD, "good").startswith("Dibisukan sampai ")
    press(desk, CARD, "Bunyikan lagi")
    desk.page.locator(CARD).get_by_text("Layar boleh berbunyi lagi.").wait_for()
    assert site.beat()["muted_until"] is None


def test_what_a_wall_says_of_itself_is_on_its_card(desk: Screen, site: DeskSite) -> None:
    clock = (utc_now() + timedelta(hours=2)).isoformat()
    site.beat("dinding", fps=24.0, heap_bytes=80_000_000, clock=clock, sound_armed=False)
    card = '[data-screen="dinding"]'
    desk.page.locator(f'{card}[data-state="alive"]').wait_for()
    assert desk.text(f"{card} .wall-state") == "hidup"
    facts = desk.text(f"{card} .wall-facts")
    assert "24\u00a0per dtk" in facts
    assert "80\u00a0MB" in facts
    assert "waktu peladen" in facts
    assert "belum siap" in facts


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [({"fps": 0.0}, "frozen", "beku"), ({"build": "lama"}, "old_build", "versi lama")],
)
def test_a_screen_that_is_not_well_has_a_word_for_it(
    desk: Screen, site: DeskSite, changes: dict[str, Any], state: str, word: str
) -> None:
    site.beat("dinding", **changes)
    desk.page.locator(f'[data-screen="dinding"][data-state="{state}"]').wait_for()
    assert desk.text('[data-screen="dinding"] .wall-state') == word


def test_the_status_says_how_old_its_sources_are(desk: Screen, site: DeskSite) -> None:
    tile = ".desk-status-tile"
    heard = SourceState(source_id=SOURCE, last_success=utc_now(), records=1)
    site.live.put(state=heard)
    desk.page.locator(f'{tile}[data-health="fresh"]').wait_for()
    site.live.put(state=replace(heard, last_success=utc_now() - timedelta(days=1)))
    desk.page.locator(f'{tile}[data-health="down"]').wait_for()
    assert desk.text(f"{tile} .age").startswith("mati")


def test_a_tile_is_hatched_only_where_half_of_its_sources_are_in_trouble(desk: Screen) -> None:
    hatched = desk.script("""() => ['0', '1'].map((partly) => {
      const tile = document.createElement('section');
      tile.className = 'tile';
      tile.dataset.health = 'down';
      tile.dataset.partly = partly;
      document.getElementById('desk').append(tile);
      const { backgroundImage } = getComputedStyle(tile);
      tile.remove();
      return backgroundImage !== 'none';
    })""")
    assert hatched == [True, False]


def test_a_status_that_cannot_be_read_anew_says_of_when_it_is(desk: Screen, site: DeskSite) -> None:
    site.history_away.set()
    site.live.note_alarms()
    warning = desk.page.locator("#desk-status .desk-warning").get_by_text("ini keadaan pukul")
    try:
        warning.wait_for()
    finally:
        site.history_away.clear()
    warning.wait_for(state="detached")


def test_a_wall_says_since_when_its_status_is_not_renewed(
    site: DeskSite, open_screen: OpenScreen
) -> None:
    wall = open_screen(site, "/wall/utama?scene=kota&thumb=1")
    wall.wait("() => document.querySelector('.kota-since [data-ago]')")
    site.history_away.set()
    site.live.note_alarms()
    try:
        for where in ("#city-status", ".kota-since"):
            wall.page.locator(where).get_by_text("belum diperbarui sejak").wait_for()
    finally:
        site.history_away.clear()


def test_a_status_that_is_not_heard_says_that_it_cannot_be_asked_for(
    own_desk: Screen, site: DeskSite
) -> None:
    own_desk.page.route("**/api/v1/status", lambda route: route.abort())
    own_desk.wait("() => window.lawang.live.panel('status')?.level")
    # As before the first frame: what the API said is all there is.
    own_desk.script("() => { window.lawang.live.panel('status').level = 0; }")
    own_desk.page.locator("#desk-status summary").click()
    own_desk.page.locator("#desk-status .status-shown .desk-warning").wait_for()
    assert own_desk.text(".status-number") != ""


def test_the_status_is_set_by_hand_and_given_back(desk: Screen, site: DeskSite) -> None:
    sign(desk)
    form = desk.page.locator("#desk-status form")
    form.locator("select").first.select_option("4")
    form.locator("input").fill("gladi posko")
    form.get_by_role("button").click()
    assert "4 · Tanggap" in wait_told(desk, "#desk-status", "good")
    desk.page.locator(".by-hand").get_by_text("Ditetapkan oleh Sari").wait_for()
    assert desk.text(".status-number") == "4"
    press(desk, "#desk-status", "Kembalikan ke aturan")
    desk.page.locator(".by-hand").wait_for(state="detached")
    log = site.get("/api/v1/status")["log"]
    assert [each["by"] for each in log[:2]] == ["Sari", "Sari"]


def test_the_desk_works_where_the_browser_keeps_nothing(
    site: DeskSite, open_screen: OpenScreen
) -> None:
    screen = open_screen(site, viewport=DESK)
    screen.page.add_init_script(
        "Object.defineProperty(window, 'localStorage',"
        " {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    screen.go("/screens")
    number = site.raise_alert()
    screen.page.locator(alert(number)).wait_for()
    sign(screen)
    press(screen, alert(number), "Akui")
    wait_told(screen, alert(number), "good")
    assert screen.complaints == []


def test_a_picture_is_the_wall_itself_and_can_be_closed(
    site: DeskSite, open_screen: OpenScreen
) -> None:
    screen = open_desk(site, open_screen, pictures=True)
    screen.page.locator(f"{CARD} iframe").wait_for()
    frame = screen.page.frame_locator(f"{CARD} iframe")
    frame.locator("#live-root").wait_for()
    save(screen, "desk-pictures")
    press(screen, CARD, "Tutup gambar")
    assert screen.page.locator(f"{CARD} iframe").count() == 0
    assert screen.text(f"{CARD} .wall-plan") != ""
    assert screen.complaints == []


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_and_nobody_kept_out(
    site: DeskSite, open_screen: OpenScreen, size: dict[str, int], lang: str
) -> None:
    number = site.raise_alert("gawat")
    site.raise_alert("jahat")
    screen = open_desk(site, open_screen, f"/screens?lang={lang}", viewport=size)
    sign(screen)
    screen.page.locator(alert(number)).get_by_role("button").nth(1).click()
    screen.page.locator(f"{alert(number)} summary").click()
    screen.page.locator(f"{alert(number)} .log li").first.wait_for()
    save(screen, f"desk-{size['width']}-{lang}")
    assert screen.script("() => document.scrollingElement.scrollWidth <= innerWidth") is True
    assert grave_faults(screen.page) == []


def test_everything_is_reached_by_the_keyboard(desk: Screen, site: DeskSite) -> None:
    number = site.raise_alert()
    desk.page.locator(alert(number)).wait_for()
    desk.page.focus("#operator-name")
    desk.page.keyboard.type("Sari")
    button = desk.page.locator(alert(number)).get_by_role("button", name="Akui", exact=True)
    for _ in range(20):
        desk.page.keyboard.press("Tab")
        if button.evaluate("(each) => each === document.activeElement"):
            break
    desk.page.keyboard.press("Enter")
    wait_told(desk, alert(number), "good")
    # Its button is gone; the keyboard's place is not.
    assert desk.script(
        f"() => document.querySelector('{alert(number)}').contains(document.activeElement)"
    )
