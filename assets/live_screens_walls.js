/* The screens on the operator's desk: how each one is, what it shows, and what it is told to do.
 *
 * A picture of a screen is the wall's own page in a small frame. Each holds a line to the server,
 * of which a browser has six to one server, so only a few are open at once: those in view, none
 * while nobody looks at this page, and none while a call waits for a line.
 */
"use strict";

window.lawang = window.lawang || {};

(() => {
  const { live, desk } = window.lawang;
  const { say, part } = live;

  const PICTURES_MOST = 3;
  /** The pictures' own height in pixels; smaller than the wall, which its page scales to. */
  const PICTURE_HEIGHT = 540;
  /** A beat every 10 s; three that did not come make a screen dark. */
  const DARK_AFTER_S = 35;
  const SKEW_TOLD_S = 5;
  const SCENE_LENGTHS = [120, 600, 1800, 3600, 4 * 3600];
  const MUTE_LENGTHS = [600, 3600, 4 * 3600, 12 * 3600];

  const cards = new Map();
  let list = null;
  let problem = null;
  let seer = null;

  // --- words -----------------------------------------------------------------------------------

  function stateWord(state) {
    return {
      alive: () => say("alive"),
      frozen: () => say("frozen"),
      old_build: () => say("old build"),
      dark: () => say("dark"),
      never: () => say("never heard"),
      untold: () => say("cannot be told"),
    }[state]();
  }

  /** What an item hangs on; of an alert its name, where it is open and announced. */
  function causeOf(item) {
    const panel = live.panel("alarms");
    const alarm = item.why === "interrupt" && panel && panel.alarms && panel.alarms[item.cause];
    return alarm ? desk.own(alarm, "name") : item.cause;
  }

  function whyWord(item) {
    const cause = { cause: causeOf(item) };
    const word = {
      playlist: () => say("playlist {cause}", cause),
      schedule: () => say("schedule {cause}", cause),
      interrupt: () => say("alert {cause}", cause),
      manual: () => say("sent by {cause}", cause),
    }[item.why];
    return word ? word() : item.why;
  }

  function scenes() {
    const panel = live.panel("programme");
    return (panel && panel.scenes) || {};
  }

  function sceneName(id) {
    return scenes()[id] ? desk.own(scenes()[id], "name") : id;
  }

  function soundWord(armed) {
    if (armed === undefined) return "–";
    return armed ? say("♪ armed") : say("✕ not armed: no sound comes");
  }

  // --- how a screen is -------------------------------------------------------------------------

  function wallOf(id) {
    const panel = live.panel("walls");
    return panel && panel.walls && panel.walls[id];
  }

  /** What can be said of its state now: nothing while the line that tells of it is cut. */
  function stateOf(wall) {
    if (!wall || live.connection().state !== "live" || live.panel("walls").read_at) return "untold";
    if (wall.seen_at && live.now() - live.seconds(wall.seen_at) > DARK_AFTER_S) return "dark";
    return wall.state;
  }

  function number(value, unit, decimals) {
    if (value === undefined) return "–";
    return `${live.number(Number(value.toFixed(decimals || 0)))}\u00a0${unit}`;
  }

  function factsOf(wall) {
    const errors = wall.errors === undefined ? "–" : live.number(wall.errors);
    const skewed = wall.skew_s !== undefined && Math.abs(wall.skew_s) > SKEW_TOLD_S;
    const isOld = wall.build !== undefined && wall.build !== live.config().build;
    return [
      [
        say("Last heartbeat"),
        wall.seen_at ? [part("span", { "data-ago": wall.seen_at }, "")] : ["–"],
      ],
      [say("Scene it says"), [wall.scene ? sceneName(wall.scene) : "–"]],
      [say("Oldest panel"), [number(wall.oldest_panel_s, "s")]],
      [say("Frame rate"), [number(wall.fps, say("per s"))]],
      [say("Memory"), [number(wall.heap_bytes && wall.heap_bytes / 1e6, "MB")]],
      [say("Errors"), [errors, wall.last_error ? ` · ${wall.last_error}` : ""], wall.errors > 0],
      [
        say("Its clock"),
        [
          wall.skew_s === undefined
            ? "–"
            : skewed
              ? say("wrong by {n} s; server time is shown", {
                  n: live.number(Math.round(wall.skew_s)),
                })
              : say("right"),
        ],
        skewed,
      ],
      [say("Sound"), [soundWord(wall.sound_armed)], wall.sound_armed === false],
      [
        say("Build"),
        [
          wall.build ? wall.build.slice(0, 12) : "–",
          isOld ? ` · ${say("not this server's")}` : "",
        ],
        isOld,
      ],
    ];
  }

  function pairs(facts) {
    return facts.map(([label, value, isBad]) =>
      part("div", { class: isBad ? "is-bad" : undefined }, [
        part("dt", {}, label),
        part("dd", {}, value),
      ]),
    );
  }

  // --- what it shows -----------------------------------------------------------------------------

  function filtersOf(filters) {
    const kinds = [
      [say("kecamatan"), filters.kecamatan],
      [say("departments"), filters.opd],
      [say("categories"), filters.category],
    ];
    return [
      filters.window || "",
      ...kinds.map(([word, ids]) => (ids && ids.length ? `${word} ${ids.join(", ")}` : "")),
    ].filter((each) => each);
  }

  function cellName(item, screen) {
    return screen.cells && screen.cells.length > 1 && item.cell ? `${item.cell}: ` : "";
  }

  function showing(screen) {
    const now = screen.items.map((item) =>
      part("li", { "data-why": item.why }, [
        part("b", {}, `${cellName(item, screen)}${sceneName(item.scene)}`),
        ` · ${[whyWord(item), ...filtersOf(item.filters || {})].join(" · ")}`,
      ]),
    );
    // Cells turn at times of their own: told is what will be another one.
    const before = new Set(screen.items.map((item) => JSON.stringify([item.cell, item.scene])));
    const next = screen.next.filter(
      (item) => !before.has(JSON.stringify([item.cell, item.scene])),
    );
    return [
      part("ul", { class: "plain", "aria-label": say("Shows now") }, now),
      part("p", { class: "desk-note" }, [
        next.length
          ? say("Next: {scenes}", {
              scenes: next
                .map((item) => `${cellName(item, screen)}${sceneName(item.scene)}`)
                .join(", "),
            })
          : say("Next: the same"),
        " · ",
        part("span", { "data-countdown": screen.next_at }, ""),
      ]),
      screen.muted_until
        ? part("p", { class: "desk-warning" }, [
            say("Muted until {time}", { time: desk.until(screen.muted_until) }),
          ])
        : "",
      screen.waiting
        ? part("p", { class: "desk-note" }, [
            say("{n} commands wait for its next heartbeat", { n: live.number(screen.waiting) }),
          ])
        : "",
    ];
  }

  /** The screen's own grid in words: what stands there while no picture is open. */
  function plan(screen) {
    const whole = screen.items.length === 1 && !screen.items[0].cell;
    return screen.items.map((item) => {
      const cell = whole ? null : (screen.cells || []).find((each) => each.id === item.cell);
      const element = part("span", { class: "plan-cell" }, sceneName(item.scene));
      element.style.gridColumn = cell ? `${cell.column + 1} / span ${cell.width}` : "1 / -1";
      element.style.gridRow = cell ? `${cell.row + 1} / span ${cell.height}` : "1 / -1";
      return element;
    });
  }

  // --- pictures ----------------------------------------------------------------------------------

  function openPictures() {
    return [...cards.values()].filter((card) => card.frame).length;
  }

  function openPicture(card) {
    const [width, height] = card.screen.size;
    const frame = part("iframe", {
      title: say("What {screen} should show", { screen: card.screen.name }),
      src: `/wall/${encodeURIComponent(card.id)}?thumb=1&lang=${live.config().lang}`,
    });
    frame.style.width = `${Math.round((PICTURE_HEIGHT * width) / height)}px`;
    frame.style.height = `${PICTURE_HEIGHT}px`;
    card.frame = frame;
    card.picture.append(frame);
    fitPicture(card);
  }

  function fitPicture(card) {
    if (!card.frame) return;
    const scale = card.picture.clientHeight / PICTURE_HEIGHT;
    card.frame.style.transform = `scale(${scale})`;
  }

  function closePicture(card) {
    if (!card.frame) return;
    card.frame.remove();
    card.frame = null;
  }

  /** Open those in view as far as there is room, and close the others. */
  function settlePictures() {
    for (const card of cards.values())
      if (document.hidden || !card.inView || card.closed) closePicture(card);
    for (const card of cards.values()) {
      if (document.hidden || !card.inView || card.closed || card.frame) continue;
      if (openPictures() < PICTURES_MOST) openPicture(card);
    }
    for (const card of cards.values()) {
      const label = card.frame ? say("Close the picture") : say("Show the picture");
      if (card.pictureButton.textContent !== label) card.pictureButton.textContent = label;
    }
  }

  function turnPicture(card) {
    card.closed = Boolean(card.frame);
    if (!card.closed && openPictures() >= PICTURES_MOST)
      for (const other of cards.values())
        if (other.frame) {
          other.closed = true;
          break;
        }
    settlePictures();
  }

  // --- one card --------------------------------------------------------------------------------

  function makeCard(id, screen) {
    const card = {
      id,
      screen,
      frame: null,
      inView: false,
      closed: false,
      state: part("span", { class: "wall-state" }, ""),
      since: part("span", { class: "desk-note" }, ""),
      title: part("h3", {}, screen.name),
      plan: part("div", { class: "wall-plan" }, ""),
      showing: part("div", { class: "wall-showing" }, ""),
      facts: part("dl", { class: "wall-facts" }, ""),
      told: desk.toldPlace(),
    };
    // What is in the picture is said beside it; the keyboard has no business in there.
    card.picture = part("div", { class: "wall-picture", inert: "" }, [card.plan]);
    card.pictureButton = desk.button(say("Show the picture"), () => turnPicture(card), {
      class: "quiet",
    });
    card.resume = desk.button(say("Resume the programme"), () =>
      command(card, card.resume, { kind: "resume" }, () => say("It goes on with its programme.")),
    );
    card.mute = desk.button(say("Mute"), () =>
      command(card, card.mute, { kind: "mute", for_s: Number(card.muteFor.value) }, (told) =>
        say("Muted until {time}.", { time: desk.until(told.until) }),
      ),
    );
    card.unmute = desk.button(say("Unmute"), () =>
      command(card, card.unmute, { kind: "unmute" }, () => say("It may sound again.")),
    );
    card.muteFor = desk.choice(desk.durations(MUTE_LENGTHS), "3600");
    card.log = desk.opening(say("What it was told"), () => askLog(id));
    card.element = part("li", { class: "wall-card", "data-screen": id }, [
      part("div", { class: "wall-head" }, [card.title, card.state, card.since]),
      part("div", { class: "wall-columns" }, [
        part("div", { class: "wall-side" }, [
          card.picture,
          part("div", { class: "desk-buttons" }, [
            card.pictureButton,
            part(
              "a",
              {
                href: `/wall/${encodeURIComponent(id)}?lang=${live.config().lang}`,
                target: "_blank",
                rel: "noopener",
              },
              say("Open this wall"),
            ),
          ]),
        ]),
        part("div", {}, [card.showing, card.facts]),
      ]),
      commandsOf(card),
      card.told,
      card.log.root,
    ]);
    seer.observe(card.picture);
    return card;
  }

  function commandsOf(card) {
    const identify = desk.button(say("Identify"), () =>
      command(card, identify, { kind: "identify" }, () =>
        say("Its name appears large on the glass with its next heartbeat, within ten seconds."),
      ),
    );
    const reload = desk.twice(say("Reload"), card.told, () =>
      command(card, reload, { kind: "reload" }, () =>
        say("It loads itself anew with its next heartbeat, within ten seconds."),
      ),
    );
    card.scene = desk.choice([], "");
    const length = desk.choice(desk.durations(SCENE_LENGTHS), "600");
    const send = desk.form(
      [desk.field(say("Scene"), card.scene), desk.field(say("How long"), length)],
      say("Show it"),
      (submit) =>
        command(
          card,
          submit,
          { kind: "scene", scene: card.scene.value, for_s: Number(length.value) },
          (told) =>
            say("{scene} until {time}.", {
              scene: sceneName(told.scene),
              time: desk.until(told.until),
            }),
        ),
    );
    return part("div", { class: "wall-commands" }, [
      part("div", { class: "desk-buttons" }, [identify, reload, card.resume]),
      send,
      part("div", { class: "desk-form" }, [
        desk.field(say("Mute for"), card.muteFor),
        card.mute,
        card.unmute,
      ]),
    ]);
  }

  async function command(card, button, what, sentence) {
    const done = await desk.act(
      button,
      card.told,
      `/api/v1/screens/${encodeURIComponent(card.id)}/commands`,
      (by) => ({ ...what, by }),
      (said) => sentence(said.command),
    );
    if (done) card.log.look();
  }

  function commandWord(told) {
    const word = {
      reload: () => say("Reload"),
      identify: () => say("Identify"),
      scene: () => say("Scene {name}", { name: sceneName(told.scene) }),
      resume: () => say("Resume the programme"),
      mute: () => say("Mute"),
      unmute: () => say("Unmute"),
    }[told.kind];
    return word ? word() : told.kind;
  }

  async function askLog(id) {
    const found = await desk.call(`/api/v1/screens/${encodeURIComponent(id)}/commands?limit=20`);
    if (!found.ok) return found.parts;
    if (!found.said.length) return [say("Nothing in the last 30 days.")];
    const lines = found.said.map((each) =>
      part("li", {}, [
        part("time", { datetime: each.made_at }, desk.until(each.made_at)),
        " ",
        part("b", {}, commandWord(each)),
        ` · ${each.by} · `,
        each.taken_at
          ? say("taken at {time}", { time: desk.until(each.taken_at) })
          : live.seconds(each.expires_at) < live.now()
            ? say("never taken")
            : say("waits"),
      ]),
    );
    return [part("ol", { class: "log" }, lines)];
  }

  // --- all of them -----------------------------------------------------------------------------

  function drawCard(card) {
    const { screen } = card;
    desk.refill(card.title, [screen.name]);
    desk.refill(card.showing, showing(screen));
    desk.refill(card.plan, plan(screen));
    card.plan.style.gridTemplateColumns = `repeat(${screen.columns}, minmax(0, 1fr))`;
    card.plan.style.gridTemplateRows = `repeat(${screen.rows}, minmax(0, 1fr))`;
    card.picture.style.aspectRatio = `${screen.size[0]} / ${screen.size[1]}`;
    // Two to eleven wide: such a picture stands above the facts, not beside them.
    card.element.classList.toggle("is-wide", screen.size[0] > 2 * screen.size[1]);
    const isManual = screen.items.some((item) => item.why === "manual");
    desk.hide(card.resume, !isManual, card.log.summary);
    desk.hide(card.unmute, !screen.muted_until, card.log.summary);
    desk.fillChoice(
      card.scene,
      Object.keys(scenes()).map((each) => [each, sceneName(each)]),
      screen.items.length ? screen.items[0].scene : "",
    );
    drawState(card);
  }

  function drawState(card) {
    const wall = wallOf(card.id);
    const state = stateOf(wall);
    card.element.dataset.state = state;
    desk.refill(card.state, [
      part("span", { class: "wall-lamp", "aria-hidden": "true" }, ""),
      stateWord(state),
    ]);
    const darkSince = state === "dark" && wall && (wall.dark_since || wall.seen_at);
    desk.refill(card.since, [
      darkSince ? say("since {time}", { time: desk.until(darkSince) }) : "",
    ]);
    desk.refill(card.facts, pairs(factsOf(wall || {})));
  }

  function draw(panel) {
    if (!list) return;
    const screens = panel.screens || {};
    for (const [id, card] of cards) {
      if (screens[id]) continue;
      closePicture(card);
      seer.unobserve(card.picture);
      cards.delete(id);
    }
    for (const [id, screen] of Object.entries(screens)) {
      if (!cards.has(id)) cards.set(id, makeCard(id, screen));
      cards.get(id).screen = screen;
      drawCard(cards.get(id));
    }
    desk.arrange(list, Object.keys(screens).map((id) => cards.get(id).element));
    drawProblem(panel, Object.keys(screens).length);
    count();
  }

  function drawProblem(panel, many) {
    const found = panel.problem;
    desk.refill(problem, [
      found
        ? part("p", { class: "desk-warning" }, [
            part("b", {}, say("The saved programme is not in force; the one before goes on.")),
            ` ${found.file}${found.line === undefined ? "" : `:${found.line}`}`,
            found.key ? ` ${found.key}` : "",
            `: ${found.problem} (${desk.until(found.seen_at)})`,
          ])
        : "",
      panel.read_at
        ? part("p", { class: "desk-warning" }, [
            say("The records cannot be read; this is of {time}.", {
              time: desk.until(panel.read_at),
            }),
          ])
        : "",
      many ? "" : part("p", {}, say("This city has no screens: its screens.toml names none.")),
    ]);
  }

  function count() {
    for (const element of list.querySelectorAll("[data-countdown]")) {
      const left = Math.ceil(live.seconds(element.dataset.countdown) - live.now());
      const text = left > 0 ? say("in {time}", { time: live.duration(left) }) : say("now");
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function drawStates() {
    for (const card of cards.values()) drawState(card);
    // Parts made anew have no ages yet.
    live.refresh();
  }

  desk.onStart(() => {
    const root = document.getElementById("desk-screens");
    problem = part("div", { class: "desk-trouble", role: "status" }, say("asking"));
    list = part("ul", { class: "wall-list" }, "");
    root.replaceChildren(problem, list);
    seer = new IntersectionObserver((entries) => {
      for (const entry of entries)
        for (const card of cards.values())
          if (card.picture === entry.target) card.inView = entry.isIntersecting;
      settlePictures();
    });
    document.addEventListener("visibilitychange", settlePictures);
    new ResizeObserver(() => cards.forEach(fitPicture)).observe(list);
  });
  desk.onSecond(() => {
    count();
    // A screen grows dark, and a line is lost, without anybody saying so.
    for (const card of cards.values())
      if (stateOf(wallOf(card.id)) !== card.element.dataset.state) drawState(card);
  });
  desk.onCrowded(() => {
    for (const card of cards.values()) card.closed = card.closed || Boolean(card.frame);
    settlePictures();
  });
  live.on("programme", draw);
  live.on("walls", drawStates);
  // Names of alerts may come after what they hang on.
  live.on("alarms", () => {
    for (const card of cards.values()) desk.refill(card.showing, showing(card.screen));
    if (list) count();
  });
})();
