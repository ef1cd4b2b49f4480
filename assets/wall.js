/* The wall: follows the programme that the centre sends, one scene a cell, and mounts each scene.
 *
 * Nothing is counted here: what is shown follows from panel `programme`, so that two screens turn
 * together and one that was loaded anew falls into step. A scene registers with
 * lawang.wall.scene(id, {panels, mount}); its `update` gets each of its panels when it changes.
 */
"use strict";

window.lawang = window.lawang || {};

window.lawang.wall = (() => {
  const live = window.lawang.live;
  const FADE_MS = 500;
  /** A wall that the programme never reached shows its first scene rather than nothing. */
  const PATIENCE_MS = 6000;

  const scenes = {};
  const cells = new Map();
  let root = null;
  let stage = null;
  let wall = {};
  let followed = [];
  let selected = {};

  // --- which scene ---------------------------------------------------------------------------

  /** The wall's own entry of the programme, or undefined. */
  function mine() {
    const programme = live.panel("programme");
    return programme && programme.screens && programme.screens[wall.screen];
  }

  function forced() {
    if (!wall.scene) return null;
    return [{ cell: "", scene: wall.scene, filters: wall.filters || {}, why: "address", cause: "" }];
  }

  /** What to show now: the address, else the programme, else what the page was made with. */
  function items() {
    const own = mine();
    return forced() || (own && own.items) || [];
  }

  function key(item) {
    return JSON.stringify([item.scene, item.filters || {}, item.why === "interrupt" && item.cause]);
  }

  function show(wanted) {
    if (!stage) return;
    const whole = wanted.length === 1 && wanted[0].cell === "";
    for (const [id, cell] of cells) {
      const item = wanted.find((each) => each.cell === id);
      // The cells beneath an alarm that fills the glass are left as they are, and not drawn.
      const used = whole ? id === "" : id !== "" || cells.size === 1;
      cell.element.hidden = !used;
      if (used && item && key(item) !== cell.key) fill(cell, item);
      else if (item) cell.item = item;
      if (!used && cell.handle) empty(cell);
    }
    root.dataset.interrupted = wanted.some((each) => each.why === "interrupt") ? "1" : "0";
    followed = wanted;
    heading();
  }

  // --- mounting ------------------------------------------------------------------------------

  function empty(cell) {
    if (cell.handle && cell.handle.unmount) guard(cell, () => cell.handle.unmount());
    if (cell.placed) cell.placed.release();
    cell.placed = null;
    cell.handle = null;
    cell.key = "";
    cell.holder.replaceChildren();
  }

  function fill(cell, item) {
    empty(cell);
    cell.item = item;
    cell.key = key(item);
    const scene = scenes[item.scene];
    const element = live.part("div", {
      class: `scene scene-${item.scene}`,
      "data-scene": item.scene,
    });
    cell.holder.replaceChildren(element);
    cell.element.dataset.scene = item.scene;
    cell.element.classList.toggle("interrupted", item.why === "interrupt");
    brief(cell);
    if (!scene) {
      element.append(live.part("p", { class: "scene-missing" }, live.say("This scene cannot be drawn")));
      return;
    }
    element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: reduced() ? 0 : FADE_MS });
    const context = {
      cell: cell.id,
      item,
      filters: item.filters || {},
      map: (options) => place(cell, options),
    };
    guard(cell, () => {
      cell.handle = scene.mount(element, context) || {};
    });
    for (const name of scene.panels) {
      const panel = live.panel(name);
      if (panel && cell.handle && cell.handle.update)
        guard(cell, () => cell.handle.update(name, panel, undefined, null));
    }
    live.refresh();
  }

  function place(cell, options) {
    if (cell.placed) cell.placed.release();
    if (!lawang.wall.map) return null;
    const made = lawang.wall.map(cell, options);
    cell.placed = made;
    return made;
  }

  /** A fault in one scene leaves the others, and the rotation, as they are. */
  function guard(cell, act) {
    live.attempt(`scene ${cell.item && cell.item.scene}`, act);
  }

  function reduced() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  function pass(name, panel, before, patch) {
    for (const cell of cells.values()) {
      const scene = cell.item && cell.handle && scenes[cell.item.scene];
      if (scene && cell.handle.update && scene.panels.includes(name))
        guard(cell, () => cell.handle.update(name, panel, before, patch));
    }
    // Lists are drawn anew; what was chosen stays chosen.
    if (selected.kecamatan) mark();
  }

  // --- the programme -------------------------------------------------------------------------

  function follow(panel) {
    if (!stage) return;
    const own = mine();
    if (!own && panel.screens && !forced()) {
      unknown(Object.entries(panel.screens));
      return;
    }
    root.dataset.unknownScreen = "0";
    if (own && grid(own) !== stage.dataset.grid && !forced()) {
      // The cells are the page's own: another grid needs another page.
      live.reload("grid");
      return;
    }
    show(items());
    if (own && lawang.wall.beat) lawang.wall.beat.waiting(own.waiting || 0);
    if (own && lawang.wall.sound) lawang.wall.sound.mute(own.muted_until || null);
  }

  /** The shape of a screen's grid as layouts/wall.py writes it into the page. */
  function grid(own) {
    const parts = own.cells.map((c) => [c.id, c.column, c.row, c.width, c.height].join(":"));
    return [own.columns, own.rows, ...parts].join("|");
  }

  function unknown(known) {
    root.dataset.unknownScreen = "1";
    const note = document.getElementById("unknown-screen");
    note.replaceChildren(
      live.part("h2", {}, live.say("There is no screen {id}", { id: wall.screen })),
      live.part("p", {}, live.say("screens.toml has these:")),
      live.part(
        "ul",
        {},
        known.map(([id, each]) =>
          live.part("li", {}, live.part("a", { href: `/wall/${id}` }, `${id}: ${each.name}`)),
        ),
      ),
    );
  }

  // --- the frame -----------------------------------------------------------------------------

  function heading() {
    const programme = live.panel("programme");
    const names = (programme && programme.scenes) || {};
    const title = followed
      .map((item) => names[item.scene])
      .filter(Boolean)
      .map((scene) => scene[`name_${live.config().lang}`]);
    const element = document.getElementById("scene-name");
    if (element) element.textContent = [...new Set(title)].join(" · ");
  }

  function status(panel) {
    const element = document.getElementById("city-status");
    if (!element || !panel.level) return;
    const { part, say } = live;
    element.hidden = false;
    element.dataset.level = panel.level;
    element.style.setProperty("--status", `var(--${panel.colour || `status-${panel.level}`})`);
    element.replaceChildren(
      part("b", { class: "status-level" }, String(panel.level)),
      part("span", { class: "status-words" }, [
        part("span", { class: "status-word" }, panel[`word_${live.config().lang}`]),
        part("span", { class: "status-since" }, [
          panel.by_hand ? `${say("by hand")} · ` : "",
          panel.read_at ? notRenewed(panel) : "",
          panel.since && !panel.read_at
            ? say("since {time}", { time: live.clock(live.seconds(panel.since)) })
            : "",
        ]),
      ]),
      // Not all of its rules could be judged: it may be too low.
      (panel.unknown || []).length ? part("span", { class: "status-unknown" }, "◐") : "",
    );
  }

  /** While history is away nobody can tell whether the status still is what it was. */
  function notRenewed(panel) {
    const time = live.clock(live.seconds(panel.read_at));
    return live.part("span", { class: "worse" }, [
      `◐ ${live.say("not renewed since {time}", { time })}`,
    ]);
  }

  // --- alarms --------------------------------------------------------------------------------

  /** Open alarms, the worst first. */
  function worstFirst(panel) {
    return Object.entries((panel && panel.alarms) || {})
      .map(([id, alarm]) => ({ id, ...alarm }))
      .sort(live.worstFirst);
  }

  function banner(panel) {
    const element = document.getElementById("alarm-line");
    if (!element) return;
    const { part, say, number } = live;
    const open = worstFirst(panel);
    const worst = open[0];
    const known = panel.rules !== undefined;
    element.dataset.severity = worst ? worst.severity : known ? "none" : "unknown";
    if (!worst) {
      element.replaceChildren(
        part("span", { class: "alarm-calm" }, [
          known ? say("No alerts") : say("alerts not heard yet"),
          known ? ` · ${say("{n} rules watch", { n: number(panel.rules) })}` : "",
          besides(panel),
        ]),
      );
      return;
    }
    element.replaceChildren(
      part("span", { class: "alarm-sign" }, live.SIGNS[worst.severity]),
      part("span", { class: "alarm-word" }, live.severityWord(worst.severity)),
      part("span", { class: "alarm-text" }, alarmText(worst)),
      part("span", { class: "alarm-state" }, alarmState(worst)),
      open.length > 1
        ? part("span", { class: "alarm-more" }, say("+{n} more", { n: number(open.length - 1) }))
        : "",
      part("span", { class: "alarm-shelved" }, besides(panel)),
    );
  }

  /** What no alert tells: those set aside, and what is watched but says nothing to its rule. */
  function besides(panel) {
    const aside = (panel.shelved || 0) + (panel.silenced || 0);
    const blind = Object.values(panel.blind || {}).reduce((sum, n) => sum + n, 0);
    return [
      aside ? ` · ${live.say("{n} set aside", { n: live.number(aside) })}` : "",
      blind ? ` · ◐ ${live.say("{n} unwatched", { n: live.number(blind) })}` : "",
    ].join("");
  }

  function alarmText(alarm) {
    return alarm[`text_${live.config().lang}`] || alarm[`name_${live.config().lang}`];
  }

  function alarmState(alarm) {
    if (alarm.state === "unknown") return live.say("not known whether it lasts");
    return alarm.acked ? live.say("acknowledged") : "";
  }

  /** Beside the scene that an alarm put on the glass: what is known, who acts, what they do. */
  function brief(cell) {
    const item = cell.item;
    if (!item || item.why !== "interrupt") {
      cell.aside.replaceChildren();
      return;
    }
    const { part, say } = live;
    const panel = live.panel("alarms");
    const alarm = panel && panel.alarms && panel.alarms[item.cause];
    if (!alarm) {
      // It is over, and shown to its least time.
      if (!cell.aside.childElementCount)
        cell.aside.append(part("p", { class: "brief-text" }, say("An alert was here; it is over.")));
      else cell.aside.dataset.over = "1";
      return;
    }
    delete cell.aside.dataset.over;
    const lang = live.config().lang;
    cell.aside.dataset.severity = alarm.severity;
    cell.aside.replaceChildren(
      part("div", { class: "brief-head" }, [
        part("span", { class: "alarm-sign" }, live.SIGNS[alarm.severity]),
        part("span", {}, live.severityWord(alarm.severity)),
        alarm.simulated ? part("span", { class: "brief-simulated" }, say("simulated")) : "",
      ]),
      part("h2", { class: "brief-name" }, alarm[`name_${lang}`]),
      part("p", { class: "brief-place" }, alarm.region_name || say("without location")),
      part("p", { class: "brief-text" }, alarmText(alarm)),
      part("p", { class: "brief-since" }, [
        say("since {time}", { time: live.clock(live.seconds(alarm.began_at)) }),
        " · ",
        part("span", { "data-ago": alarm.began_at }),
      ]),
      alarmState(alarm) ? part("p", { class: "brief-state" }, alarmState(alarm)) : "",
      part("p", { class: "brief-owner" }, say("{who} acts", { who: opdName(alarm.owner) })),
      part(
        "ol",
        { class: "brief-steps" },
        (alarm[`steps_${lang}`] || []).map((step) => part("li", {}, step)),
      ),
    );
  }

  function opdName(id) {
    return (live.config().opds || {})[id] || id;
  }

  /** For who cannot see the map: what was reported just now. */
  function announce(feature) {
    const names = (live.config().categories || {})[feature.c];
    const category = names ? names[live.config().lang] : live.say("unknown category");
    const element = document.getElementById("announcer");
    if (element) element.textContent = live.say("New report: {category}", { category });
  }

  // --- selection -----------------------------------------------------------------------------

  /** What is chosen on one panel, e.g. {kecamatan: "16.71.01"}; the others are told. */
  function select(what) {
    selected = what || {};
    mark();
    document.dispatchEvent(new CustomEvent("wall:select", { detail: selected }));
  }

  /** Rows about a kecamatan carry its code in data-region. */
  function mark() {
    for (const row of stage.querySelectorAll("[data-region]"))
      row.classList.toggle("selected", Boolean(selected.kecamatan) && row.dataset.region === selected.kecamatan);
  }

  function pick(event) {
    const row = event.target.closest && event.target.closest("[data-region]");
    if (!row || !row.dataset.region) return;
    select(row.dataset.region === selected.kecamatan ? {} : { kecamatan: row.dataset.region });
  }

  // --- start ---------------------------------------------------------------------------------

  function start() {
    root = document.getElementById("live-root");
    stage = document.getElementById("stage");
    wall = live.config().wall || {};
    if (!stage) return;
    for (const element of stage.querySelectorAll(":scope > .cell")) {
      const id = element.dataset.cell;
      cells.set(id, {
        id,
        element,
        holder: element.querySelector(".scene-holder"),
        aside: element.querySelector(".alarm-brief"),
        mapHolder: element.querySelector(".map-holder"),
        key: "",
      });
    }
    stage.addEventListener("click", pick);
    for (const part of ["care", "sound", "beat"])
      if (lawang.wall[part] && lawang.wall[part].start)
        live.attempt(part, () => lawang.wall[part].start());
    if (forced()) show(forced());
    setTimeout(() => followed.length || show(wall.fallback || []), PATIENCE_MS);
  }

  for (const [name, act] of [
    ["programme", follow],
    ["status", status],
    ["alarms", banner],
  ])
    live.on(name, act);
  live.on("alarms", (panel, before) => {
    for (const cell of cells.values()) brief(cell);
    if (stage && lawang.wall.sound) lawang.wall.sound.alarms(panel, before);
  });
  live.on("incidents", (panel, before, patch) => {
    if (!stage || !before || !patch || !patch.features) return;
    const fresh = Object.entries(patch.features).find(([id, each]) => each && !before.features[id]);
    if (fresh) announce(fresh[1]);
  });
  live.started(() => {
    start();
    for (const name of live.config().panels) live.on(name, (...all) => pass(name, ...all));
  });

  return {
    scene: (id, made) => (scenes[id] = made),
    scenes: () => Object.keys(scenes),
    screen: () => wall.screen,
    settings: () => wall,
    items: () => followed,
    cells,
    show,
    resume: () => show(items()),
    select,
    selected: () => selected,
    worstFirst,
    banner,
    alarmText,
    opdName,
    notRenewed,
    reduced,
  };
})();
