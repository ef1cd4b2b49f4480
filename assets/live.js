/* The live line of a page: one EventSource, the panels it brings, their ages by this screen's clock.
 *
 * A page that wants it has an element #live-root with its facts in data-live-config. Renderers
 * (wall.js, sources.js) register with lawang.live.on(panel, render) and set component properties by
 * dash_clientside.set_props. Ages, the clock and health marks change every second; they are written
 * straight into elements that React leaves empty, so that a second costs no rendering.
 *
 * Nothing here believes the server is alive because it once was: a line silent for SILENT_MS is
 * lost, every age grows by the monotonic clock of this machine, and health is judged here.
 */
"use strict";

window.lawang = window.lawang || {};

window.lawang.live = (() => {
  const SILENT_MS = 8000;
  const REOPEN_MS = 15000;
  const BOARD_SILENT_S = 12;
  const RELOAD_GAP_MS = 30000;
  const HEAP_MAX = 700e6;

  let root = null;
  let config = null;
  let stream = null;
  let panels = {};
  let lastFrame = 0;
  let openedAt = 0;
  let offset = Date.now() / 1000 - performance.now() / 1000;
  // The time of a tick while it writes, null between ticks.
  let moment = null;
  let synced = false;
  let line = { cache_lost_at: null, board_heard_at: null };
  let everLive = false;
  let refreshing = tooOldOrLarge;
  const renderers = {};
  const formatters = new Map();
  const beginners = [];
  const startedAt = performance.now();

  // --- words, numbers, times ---------------------------------------------------------------

  function say(message, values) {
    const text = (config && config.messages[message]) || message;
    return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name]) : text;
  }

  function locale() {
    return config && config.lang === "en" ? "en-GB" : "id-ID";
  }

  /** Making one costs far more than using it: each is made once. */
  function formatter(Format, language, options) {
    const key = `${Format.name} ${language} ${JSON.stringify(options)}`;
    if (!formatters.has(key)) formatters.set(key, new Format(language, options));
    return formatters.get(key);
  }

  function number(value) {
    return formatter(Intl.NumberFormat, locale(), {}).format(value);
  }

  /** Seconds since 1970 by the server's clock; runs on by this machine's monotonic one. */
  function now() {
    return moment ?? performance.now() / 1000 + offset;
  }

  function seconds(iso) {
    return Date.parse(iso) / 1000;
  }

  function written(options, at) {
    const format = formatter(Intl.DateTimeFormat, locale(), { timeZone: config.timezone, ...options });
    return format.format(new Date(at * 1000));
  }

  function day(at) {
    return written({ year: "numeric", month: "2-digit", day: "2-digit" }, at);
  }

  /** 14:03, by the city's clock. */
  function timeOfDay(at, options = {}) {
    const parts = { timeZone: config.timezone, hour: "2-digit", minute: "2-digit", ...options };
    return formatter(Intl.DateTimeFormat, "en-GB", parts).format(new Date(at * 1000));
  }

  /** 14:03, with the date before it when it is not today. */
  function clock(at) {
    const time = timeOfDay(at);
    return day(at) === day(now())
      ? time
      : `${written({ day: "numeric", month: "short" }, at)} ${time}`;
  }

  function duration(age) {
    const s = Math.max(0, Math.floor(age));
    if (s < 60) return say("{n} s", { n: s });
    if (s < 3600) return say("{n} min", { n: Math.floor(s / 60) });
    if (s < 86400) return say("{n} h", { n: Math.floor(s / 3600) });
    return say("{n} d", { n: Math.floor(s / 86400) });
  }

  // --- health, by the same rule as lawang/domain/health.py -----------------------------------

  const WORST_FIRST = ["down", "refused", "never", "stale", "late", "fresh"];

  function health(source) {
    if (!source) return "never";
    if (source.refused) return "refused";
    if (!source.last_success) return "never";
    const age = now() - seconds(source.last_success);
    if (age > source.down_after_s) return "down";
    if (age > source.stale_after_s) return "stale";
    if (age > source.late_after_s || source.failures > 0) return "late";
    return "fresh";
  }

  function healthWord(name) {
    return {
      never: () => say("never heard"),
      fresh: () => say("fresh"),
      late: () => say("late"),
      stale: () => say("stale"),
      down: () => say("down"),
      refused: () => say("refused"),
    }[name]();
  }

  // --- how grave an alert is ----------------------------------------------------------------

  /** The worst first. Style sheets have them as --sign-critical and so on. */
  const SIGNS = { critical: "◆", major: "▲", minor: "●", info: "○" };
  const SEVERITIES = Object.keys(SIGNS);

  for (const [severity, sign] of Object.entries(SIGNS))
    document.documentElement.style.setProperty(`--sign-${severity}`, `"${sign}"`);

  function severityWord(severity) {
    return {
      critical: () => say("critical"),
      major: () => say("major"),
      minor: () => say("minor"),
      info: () => say("notice"),
    }[severity]();
  }

  /** Of two open alerts: the graver first, then who is not acknowledged, then the newer. */
  function worstFirst(one, other) {
    return (
      SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
      Number(one.acked) - Number(other.acked) ||
      other.active_at.localeCompare(one.active_at)
    );
  }

  function sourceOf(id) {
    const known = panels.sources && panels.sources.sources;
    return known ? known[id] : undefined;
  }

  /** How old a panel is and how far it can be trusted: by its oldest and its worst source. */
  function standing(panelName) {
    const panel = panels[panelName];
    if (!panel) return { health: "never", at: null };
    const ids = panel.sources && Array.isArray(panel.sources) ? panel.sources : [];
    let worst = "fresh";
    let at = null;
    const counts = {};
    for (const id of ids) {
      const source = sourceOf(id);
      const state = health(source);
      counts[state] = (counts[state] || 0) + 1;
      if (WORST_FIRST.indexOf(state) < WORST_FIRST.indexOf(worst)) worst = state;
      if (source && source.last_success) {
        const success = seconds(source.last_success);
        at = at === null ? success : Math.min(at, success);
      }
    }
    if (at === null) worst = "never";
    // A line that is cut says nothing new, however slowly the source itself is polled.
    if (worst === "fresh" && connection().state !== "live") worst = "late";
    const sound = (counts.fresh || 0) + (counts.late || 0);
    // Most of what it is made of is sound: what it says holds, but for a part that is named.
    return { health: worst, at, troubled: counts[worst], feeding: ids.length, partly: sound * 2 > ids.length };
  }

  /** How all sources stand, in words: one lamp each says no number, so this line does. */
  function summary() {
    const known = panels.sources && panels.sources.sources;
    if (!known) return say("no data yet");
    const counts = {};
    let oldest = null;
    for (const source of Object.values(known)) {
      const state = health(source);
      counts[state] = (counts[state] || 0) + 1;
      if (state === "fresh") {
        const at = seconds(source.last_success);
        oldest = oldest === null ? at : Math.min(oldest, at);
      }
    }
    const parts = WORST_FIRST.filter((state) => counts[state]).map(
      (state) => `${number(counts[state])}\u00a0${healthWord(state)}`,
    );
    if (oldest !== null) parts.push(say("oldest {age}", { age: duration(now() - oldest) }));
    return parts.join(" · ");
  }

  // --- the line ----------------------------------------------------------------------------

  function connection() {
    const silent = performance.now() - lastFrame;
    if (!everLive) return { state: "connecting", since: null };
    if (silent > SILENT_MS) return { state: "lost", since: now() - silent / 1000 };
    if (line.cache_lost_at) return { state: "cache", since: line.cache_lost_at };
    if (line.board_heard_at && now() - line.board_heard_at > BOARD_SILENT_S)
      return { state: "board", since: line.board_heard_at };
    if (!line.board_heard_at && performance.now() - startedAt > BOARD_SILENT_S * 1000)
      return { state: "board", since: null };
    return { state: "live", since: null };
  }

  function connectionText(found) {
    const since = found.since === null ? "?" : clock(found.since);
    return {
      connecting: () => say("connecting"),
      live: () => say("live"),
      lost: () => say("disconnected since {time}", { time: since }),
      cache: () => say("live state lost since {time}", { time: since }),
      board: () => say("data collector silent since {time}", { time: since }),
    }[found.state]();
  }

  function open() {
    if (stream) stream.close();
    openedAt = performance.now();
    stream = new EventSource(`/stream?panels=${config.panels.join(",")}`);
    stream.addEventListener("snapshot", receive);
    stream.addEventListener("delta", receive);
    stream.addEventListener("beat", receive);
    stream.addEventListener("revoked", () => document.dispatchEvent(new Event("live:revoked")));
  }

  function receive(event) {
    const frame = JSON.parse(event.data);
    lastFrame = performance.now();
    everLive = true;
    const sample = frame.now - performance.now() / 1000;
    // A frame is never early: the latest sample is the best, unless the server's clock was set.
    if (!synced || sample > offset || sample < offset - 5) offset = sample;
    synced = true;
    line = frame;
    if (frame.build !== config.build) {
      reload("build");
      return;
    }
    if (event.type === "snapshot") {
      const before = panels;
      panels = { ...panels, ...frame.panels };
      for (const name of Object.keys(frame.panels)) render(name, before[name], null);
    } else if (event.type === "delta") {
      for (const [name, patch] of frame.patches) {
        const before = panels[name];
        panels[name] = merge(before || {}, patch);
        render(name, before, patch);
      }
    }
    requestAnimationFrame(tick);
  }

  /** JSON Merge Patch, RFC 7396; parts that did not change are shared. */
  function merge(target, patch) {
    const result = { ...target };
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete result[key];
      else if (typeof value === "object" && !Array.isArray(value)) {
        const before = result[key];
        const mergeable = before && typeof before === "object" && !Array.isArray(before);
        result[key] = merge(mergeable ? before : {}, value);
      } else result[key] = value;
    }
    return result;
  }

  function render(name, before, patch) {
    for (const renderer of renderers[name] || [])
      attempt(`panel ${name}`, () => renderer(panels[name], before, patch));
  }

  /** A fault in one part leaves the others, and the line, as they are. */
  function attempt(name, act) {
    try {
      act();
    } catch (error) {
      console.error(name, error);
    }
  }

  /** A full page load, as nothing else gives memory back for certain; not twice in a row. */
  function reload(why) {
    // The pictures of walls on the desk share its storage: each page has its own stamp.
    const stamp = `lawang-reload ${location.pathname}`;
    // By the server's clock: that of a television may be set by hours between two loads.
    const passed = now() * 1000 - Number(sessionStorage.getItem(stamp) || 0);
    if (passed >= 0 && passed < RELOAD_GAP_MS) return;
    fetch("/healthz", { cache: "no-store" })
      .then((answer) => {
        if (!answer.ok) return;
        sessionStorage.setItem(stamp, String(now() * 1000));
        sessionStorage.setItem("lawang-reload-why", why);
        // Many walls must not all load in the same instant.
        setTimeout(() => location.reload(), Math.random() * 1500);
      })
      .catch(() => {});
  }

  function watch() {
    const silent = performance.now() - Math.max(lastFrame, openedAt);
    if (stream.readyState === EventSource.CLOSED ? silent > 1500 : silent > REOPEN_MS) open();
    const why = refreshing();
    if (why && connection().state === "live") reload(why);
  }

  /** Why a page without a better judge should be loaded anew now; "" is not at all. */
  function tooOldOrLarge() {
    const heap = performance.memory ? performance.memory.usedJSHeapSize : 0;
    if (config.refresh_s && performance.now() - startedAt > config.refresh_s * 1000) return "age";
    return heap > HEAP_MAX ? "heap" : "";
  }

  /** How far this machine's clock is ahead of the server's, in seconds; null until one was heard. */
  function skew() {
    return synced ? Date.now() / 1000 - now() : null;
  }

  /** How old the oldest of what is shown is, in seconds: by the line, and by who fills the panels. */
  function oldest() {
    const line_s = (performance.now() - (everLive ? lastFrame : startedAt)) / 1000;
    const board_s = line.board_heard_at ? now() - line.board_heard_at : 0;
    return Math.max(0, line_s, board_s);
  }

  // --- every second ------------------------------------------------------------------------

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function mark(element, name, value) {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  /** All of one tick is of one moment: an age and its tile agree although time goes on. */
  function tick() {
    moment = now();
    try {
      writeAll();
    } finally {
      moment = null;
    }
  }

  function writeAll() {
    const found = connection();
    mark(root, "data-connection", found.state);
    write(document.getElementById("connection-text"), connectionText(found));
    const time = now();
    write(
      document.getElementById("clock-time"),
      timeOfDay(time, { second: "2-digit" }),
    );
    write(
      document.getElementById("clock-date"),
      `${written({ weekday: "long", day: "numeric", month: "long", year: "numeric" }, time)} · WIB`,
    );
    for (const element of root.querySelectorAll("[data-live-age]")) {
      const found = standing(element.dataset.liveAge);
      mark(element, "data-health", found.health);
      write(element, ageText(found));
    }
    for (const element of root.querySelectorAll("[data-live-tile]")) {
      const found = standing(element.dataset.liveTile);
      mark(element, "data-health", found.health);
      mark(element, "data-partly", found.partly ? "1" : "0");
    }
    for (const element of root.querySelectorAll("[data-sources-summary]"))
      write(element, summary());
    for (const element of root.querySelectorAll("[data-source]")) {
      const source = sourceOf(element.dataset.source);
      const state = health(source);
      mark(element, "data-health", state);
      write(element.querySelector("[data-source-health]"), healthWord(state));
      for (const age of element.querySelectorAll("[data-source-age]"))
        write(
          age,
          source && source.last_success
            ? duration(time - seconds(source.last_success))
            : say("no data yet"),
        );
    }
    for (const element of root.querySelectorAll("[data-ago]")) {
      const age = time - seconds(element.dataset.ago);
      // A report may carry a time that lies ahead of ours: say the time, not a negative age.
      write(element, age < -60 ? clock(time - age) : duration(age));
      const entry = element.closest("[data-fresh-s]");
      if (entry) entry.classList.toggle("is-new", age < Number(entry.dataset.freshS));
    }
  }

  function ageText({ health: state, at, troubled, feeding }) {
    if (at === null) return say("no data yet");
    const age = duration(now() - at);
    if (state === "fresh") return age;
    // Of several sources it says how many are meant.
    const which =
      feeding > 1 && troubled
        ? say("{n} of {total} {state}", {
            n: number(troubled),
            total: number(feeding),
            state: healthWord(state),
          })
        : healthWord(state);
    // Where it needs two lines it breaks between its parts, never within one.
    return [which, clock(at), age]
      .map((each) => each.replaceAll(" ", "\u00a0"))
      .join(" · ");
  }

  // --- parts -------------------------------------------------------------------------------

  /** Lists change whole and often: as elements they cost a tenth of what components would. */
  function part(tag, attributes, children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) element.setAttribute(name, value);
    }
    for (const child of Array.isArray(children) ? children : [children]) {
      if (child !== undefined && child !== "") element.append(child);
    }
    return element;
  }

  // --- start -------------------------------------------------------------------------------

  function start(element) {
    root = element;
    config = JSON.parse(root.dataset.liveConfig);
    document.documentElement.lang = config.lang;
    panels = {};
    lastFrame = performance.now();
    for (const begin of beginners) attempt("start", begin);
    open();
    setInterval(tick, 1000);
    setInterval(watch, 1000);
    document.addEventListener("visibilitychange", () => document.hidden || tick());
    tick();
  }

  function look() {
    const element = document.getElementById("live-root");
    if (element && element !== root && window.dash_clientside && dash_clientside.set_props) {
      if (root) location.reload();
      else start(element);
    }
  }

  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
  look();

  return {
    on(panel, renderer) {
      (renderers[panel] = renderers[panel] || []).push(renderer);
    },
    set(id, props) {
      if (document.getElementById(id)) dash_clientside.set_props(id, props);
    },
    /** An element; text in it is text, never markup. */
    part,
    /** Put these into an element that its component leaves empty. */
    fill(id, parts) {
      const element = document.getElementById(id);
      if (element) element.replaceChildren(...parts);
    },
    say,
    number,
    formatter,
    clock,
    timeOfDay,
    seconds,
    health,
    /** What a source is about, in the language of the page. */
    about: (source) => (config.lang === "id" ? source.description : source.description_en) || "",
    now,
    config: () => config,
    panel: (name) => panels[name],
    connection,
    standing,
    healthWord,
    SIGNS,
    severityWord,
    worstFirst,
    duration,
    /** Call this when the page's facts are known, before the first panel arrives. */
    started: (begin) => (root ? attempt("start", begin) : beginners.push(begin)),
    attempt,
    /** Write ages and states now, not at the next second: something was drawn anew. */
    refresh: () => root && tick(),
    reload,
    /** Another judge of when the page is loaded anew: it says why, or "". */
    refreshBy: (judge) => (refreshing = judge),
    skew,
    oldest,
  };
})();

window.lawang.live.on("city", (panel) =>
  window.lawang.live.set("simulated-mark", { hidden: !panel.simulated }),
);
