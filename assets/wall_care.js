/* The care of the glass: the picture moves a little so that nothing burns in, it is darker at
 * night, the machine stays awake, and nothing of a desktop shows: cursor, menus, selections.
 *
 * Step and darkness follow from the city's time alone: the panels of a video wall move together,
 * and a page that is loaded anew does not jump.
 */
"use strict";

window.lawang = window.lawang || {};
window.lawang.wall = window.lawang.wall || {};

window.lawang.wall.care = (() => {
  const live = window.lawang.live;
  const STEP_S = 60;
  /** Steps along one side; the frame of a wall keeps this way free on each side. */
  const STEPS = 4;
  const REACH_REM = 0.25;
  const STILL_MS = 5000;
  /** As long as an alarm counts as new: people come, look and must see. */
  const NEW_S = 15 * 60;
  const NIGHT = { from: "22:00", to: "05:00", brightness: 0.7 };
  const BRIGHT = ["major", "critical"];
  const WORKER = "/api/v1/wall/worker.js";

  let root = null;
  let shade = null;
  let lock = null;
  let stillTimer = 0;
  const path = walk();

  // --- burn-in -------------------------------------------------------------------------------

  /** To and fro over a square of points, each one step from the last: [x, y] from 0 to STEPS. */
  function walk() {
    const there = [];
    for (let y = 0; y <= STEPS; y += 1)
      for (let x = 0; x <= STEPS; x += 1) there.push([y % 2 ? STEPS - x : x, y]);
    return [...there, ...there.slice(1, -1).reverse()];
  }

  /** Where the picture stands at that second: [right, down] in rem. */
  function place(at) {
    const [x, y] = path[Math.floor(at / STEP_S) % path.length];
    return [(x * REACH_REM) / STEPS, (y * REACH_REM) / STEPS];
  }

  function shift() {
    const [x, y] = place(live.now());
    const wanted = `translate(${x}rem, ${y}rem)`;
    if (root.style.transform !== wanted) root.style.transform = wanted;
  }

  // --- night ---------------------------------------------------------------------------------

  /** Of this screen by the programme, of the page, or the usual one. */
  function night() {
    const programme = live.panel("programme");
    const own = programme && programme.screens && programme.screens[lawang.wall.screen()];
    return (own && own.night) || (live.config().wall || {}).night || NIGHT;
  }

  function isNight({ from, to }, at) {
    const time = live.timeOfDay(at);
    return from <= to ? time >= from && time < to : time >= from || time < to;
  }

  /** Whether an alarm wants the whole light: a serious one, not acknowledged, while it is new. */
  function isCalled() {
    const panel = live.panel("alarms");
    return Object.values((panel && panel.alarms) || {}).some(
      (alarm) =>
        BRIGHT.includes(alarm.severity) &&
        !alarm.acked &&
        live.now() - live.seconds(alarm.active_at) < NEW_S,
    );
  }

  /** A dark pane before the picture: it dims as a filter would, and costs no drawing of its own. */
  function dim() {
    const rule = night();
    const dark = isNight(rule, live.now()) && !isCalled();
    const opacity = dark ? String(Math.round((1 - rule.brightness) * 100) / 100) : "0";
    if (shade.style.opacity !== opacity) shade.style.opacity = opacity;
    root.dataset.night = dark ? "1" : "0";
  }

  // --- awake and still -----------------------------------------------------------------------

  /** Browsers offer this over https and localhost only, and take it back from hidden pages. */
  async function wake() {
    if (!navigator.wakeLock || document.hidden || (lock && !lock.released)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
    } catch {
      // Refused, e.g. by a battery that runs low: asked again when the page is shown again.
      lock = null;
    }
    root.dataset.awake = lock ? "1" : "0";
  }

  function moved() {
    document.documentElement.classList.remove("wall-still");
    clearTimeout(stillTimer);
    stillTimer = setTimeout(
      () => document.documentElement.classList.add("wall-still"),
      STILL_MS,
    );
  }

  function hush() {
    for (const kind of ["contextmenu", "selectstart", "dragstart", "drop", "dragover"])
      addEventListener(kind, (event) => event.preventDefault(), { capture: true });
    addEventListener("pointermove", moved, { passive: true });
    moved();
  }

  // --- waiting for the server ----------------------------------------------------------------

  /** A television that is on before the server waits and tries again, without an error page. */
  function keepTrying() {
    if (!navigator.serviceWorker) return;
    const address = `${WORKER}?lang=${live.config().lang}`;
    navigator.serviceWorker
      .register(address, { scope: "/wall", updateViaCache: "none" })
      .catch(() => {});
  }

  // --- start ---------------------------------------------------------------------------------

  function tick() {
    shift();
    dim();
  }

  /** Begin; pictures of a wall for others are neither moved nor darkened. */
  function start() {
    if ((live.config().wall || {}).thumb) return;
    root = document.getElementById("live-root");
    shade = live.part("div", { class: "wall-shade", "aria-hidden": "true" });
    document.body.append(shade);
    document.documentElement.classList.add("wall-glass");
    hush();
    wake();
    document.addEventListener("visibilitychange", wake);
    keepTrying();
    setInterval(tick, 1000);
    tick();
  }

  return { start, place };
})();
