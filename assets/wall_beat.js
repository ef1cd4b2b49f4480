/* A wall that tells how it is, and does what it is told: the heartbeat, its commands, and when the
 * page is loaded anew.
 *
 * A beat goes out every ten seconds and one that fails is left: the next one is as good. The answer
 * carries what the wall should show, which is followed while the stream is lost.
 */
"use strict";

window.lawang = window.lawang || {};
window.lawang.wall = window.lawang.wall || {};

window.lawang.wall.beat = (() => {
  const live = window.lawang.live;
  const GIVE_UP_MS = 5000;
  const EAGER_MS = 1000;
  const FRAMES_MS = 2000;
  const IDENTIFY_MS = 15000;
  const SKEW_TOLD_S = 5;
  const HEAP_MAX = 250e6;
  const HEAP_TIMES = 3;
  /** Three times of little is still little; Chromium also rounds small heaps up to tens of MB. */
  const HEAP_FREE = 120e6;
  const SETTLED_MS = 5 * 60e3;
  /** A screen that never turns is loaded anew by then, too. */
  const TURN_MS = 15 * 60e3;

  const errors = { count: 0, last: "" };
  let every = 10000;
  let timer = 0;
  let beating = false;
  let followsBeats = false;
  let settledHeap = 0;
  let wanted = "";
  let dueSince = null;
  let pictured = "";

  // --- errors --------------------------------------------------------------------------------

  /**
   * What went wrong and where, without what it was about: messages of errors can hold a piece of a
   * payload, so only those of faults in the program itself are told, without anything quoted.
   */
  function describe(error) {
    if (!(error instanceof Error)) return "error";
    const ours = error instanceof TypeError || error instanceof ReferenceError;
    const text = ours ? `: ${error.message.replace(/(["'`]).*?(\1|$)/gs, "…")}` : "";
    const place = /([\w.-]+\.js)[^:\s]*:(\d+)(?::\d+)?/.exec(error.stack || "");
    return `${error.name}${text}`.slice(0, 160) + (place ? ` (${place[1]}:${place[2]})` : "");
  }

  function note(text) {
    errors.count += 1;
    errors.last = text.replace(/[\u0000-\u001f]/g, " ").slice(0, 300);
  }

  /** The console's own errors: those of React, of Leaflet, and what our modules caught. */
  function listen() {
    addEventListener("error", (event) => event.error && note(describe(event.error)));
    addEventListener("unhandledrejection", (event) => note(`promise: ${describe(event.reason)}`));
    const write = console.error;
    console.error = (...all) => {
      const error = all.find((each) => each instanceof Error);
      const isPlain = typeof all[0] === "string" && /^[\w .:-]{1,60}$/.test(all[0]);
      const said = isPlain ? all[0] : "console";
      note(error ? `${said}: ${describe(error)}` : said);
      write.apply(console, all);
    };
  }

  // --- what it says of itself ----------------------------------------------------------------

  /** Frames a second, counted for two: to draw all the time would cost the machine's power. */
  function frameRate() {
    return new Promise((resolve) => {
      if (document.hidden) {
        resolve(undefined);
        return;
      }
      const began = performance.now();
      let frames = 0;
      let counting = true;
      const count = () => {
        frames += 1;
        if (counting) requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      setTimeout(() => {
        counting = false;
        const passed = (performance.now() - began) / 1000;
        resolve(document.hidden ? undefined : Math.round((frames / passed) * 10) / 10);
      }, FRAMES_MS);
    });
  }

  function heap() {
    return performance.memory ? performance.memory.usedJSHeapSize : undefined;
  }

  async function measure() {
    const fps = await frameRate();
    const item = lawang.wall.items()[0];
    const hidden = document.hidden ? "hidden: another tab or window covers this page. " : "";
    return {
      build: live.config().build,
      scene: item ? item.scene : (live.config().wall.fallback[0] || {}).scene || "none",
      oldest_panel_s: Math.round(live.oldest() * 10) / 10,
      fps,
      heap_bytes: heap(),
      errors: errors.count,
      last_error: (hidden + errors.last).slice(0, 300),
      clock: new Date().toISOString(),
      sound_armed: lawang.wall.sound.armed(),
    };
  }

  // --- the beat ------------------------------------------------------------------------------

  function schedule(after) {
    clearTimeout(timer);
    timer = setTimeout(beat, after);
  }

  async function beat() {
    if (beating) return;
    beating = true;
    const began = performance.now();
    try {
      await send(await measure());
    } catch {
      // Away, or too slow: the line's own sign tells it, and the next turn comes.
    }
    beating = false;
    schedule(Math.max(EAGER_MS, every - (performance.now() - began)));
  }

  async function send(body) {
    const patience = new AbortController();
    const alarm = setTimeout(() => patience.abort(), GIVE_UP_MS);
    try {
      const screen = encodeURIComponent(lawang.wall.screen());
      const answer = await fetch(`/api/v1/screens/${screen}/heartbeat`, {
        method: "POST",
        cache: "no-store",
        // A screen's key, where it has one, goes along as a cookie that no script can read.
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: patience.signal,
      });
      revoked(answer.status === 401 || answer.status === 403);
      if (answer.ok) follow(await answer.json());
    } finally {
      clearTimeout(alarm);
    }
  }

  /** Commands wait: ask for them now rather than at the next turn. */
  function waiting(count) {
    if (count > 0 && timer && !beating) schedule(0);
  }

  function revoked(is) {
    const place = document.getElementById("wall-notice");
    if (!place) return;
    place.hidden = !is;
    const text = is ? live.say("Screen key revoked") : "";
    if (place.textContent !== text) place.textContent = text;
  }

  // --- what it is told -----------------------------------------------------------------------

  function follow(answer) {
    every = answer.beat_every_s * 1000;
    for (const command of answer.commands) obey(command, answer);
    lawang.wall.sound.mute(answer.muted_until);
    const lost = live.connection().state !== "live";
    // A scene that the address names is kept, whatever the programme says.
    if (lost && !live.config().wall.scene) lawang.wall.show(answer.now);
    if (followsBeats && !lost) lawang.wall.resume();
    followsBeats = lost;
  }

  function obey(command, answer) {
    const act = {
      reload: () => reloadSoon("command"),
      scene: () => live.config().wall.scene || lawang.wall.show(answer.now),
      resume: () => live.config().wall.scene || lawang.wall.show(answer.now),
      identify,
      // What holds until then is in `muted_until`.
      mute: () => {},
      unmute: () => {},
    }[command.kind];
    if (act) act();
  }

  /** The screen's name and id, as large as the glass allows, for people who stand before many. */
  function identify() {
    for (const old of document.querySelectorAll(".wall-identify")) old.remove();
    const id = lawang.wall.screen();
    const programme = live.panel("programme");
    const own = programme && programme.screens && programme.screens[id];
    const sign = live.part("div", { class: "wall-identify", role: "status" }, [
      live.part("div", { class: "identify-name" }, (own && own.name) || id),
      live.part("div", { class: "identify-id" }, id),
    ]);
    document.body.append(sign);
    setTimeout(() => sign.remove(), IDENTIFY_MS);
  }

  // --- loading anew --------------------------------------------------------------------------

  function reloadSoon(why) {
    wanted = why;
    live.reload(why);
  }

  /** Why it should be loaded anew: age, a heap that grows, an order not yet done; "" is not. */
  function reason() {
    if (wanted) return wanted;
    const age = performance.now();
    const limit = live.config().refresh_s;
    if (limit && age > limit * 1000) return "age";
    const used = heap() || 0;
    if (!settledHeap && age > SETTLED_MS) settledHeap = used;
    const grown = settledHeap && used > HEAP_FREE && used > HEAP_TIMES * settledHeap;
    return used > HEAP_MAX || grown ? "heap" : "";
  }

  /** The reason, but not in the middle of a scene and never under an alarm: at a turn, or late. */
  function judge() {
    const items = lawang.wall.items();
    const picture = items.map((item) => `${item.cell}/${item.scene}`).join(" ");
    const turned = pictured !== "" && picture !== pictured;
    pictured = picture;
    const why = reason();
    if (!why) {
      dueSince = null;
      return "";
    }
    if (dueSince === null) dueSince = performance.now();
    if (why === "command") return why;
    if (items.some((item) => item.why === "interrupt")) return "";
    return turned || performance.now() - dueSince > TURN_MS ? why : "";
  }

  // --- the clock of this machine -------------------------------------------------------------

  function long(passed) {
    const s = Math.round(passed);
    if (s < 60) return live.say("{n} s", { n: s });
    if (s < 3600) return live.say("{n} min", { n: Math.floor(s / 60) });
    if (s >= 2 * 86400) return live.say("{n} d", { n: Math.floor(s / 86400) });
    const minutes = String(Math.floor((s % 3600) / 60)).padStart(2, "0");
    return live.say("{h} h {m} min", { h: Math.floor(s / 3600), m: minutes });
  }

  /** All times on the glass are the server's; that this machine's differs is still to be mended. */
  function tellSkew() {
    const place = document.getElementById("clock-skew");
    if (!place) return;
    const skew = live.skew();
    const wrong = skew !== null && Math.abs(skew) > SKEW_TOLD_S;
    place.hidden = !wrong;
    const text = wrong ? live.say("TV clock off by {time}", { time: long(Math.abs(skew)) }) : "";
    if (place.textContent !== text) place.textContent = text;
  }

  // --- start ---------------------------------------------------------------------------------

  /** Begin; pictures of a wall for others do not beat: they are not that wall. */
  function start() {
    setInterval(tellSkew, 1000);
    if (live.config().wall.thumb) return;
    listen();
    // The running stream of a key that was revoked ends with this; the beats are refused as well.
    document.addEventListener("live:revoked", () => revoked(true));
    live.refreshBy(judge);
    // Walls that came back together after a power cut do not all beat in the same instant.
    schedule(500 + Math.random() * 1500);
  }

  return { start, waiting };
})();
