/* What makes a page of the mayor's an app: it hears of newer facts and takes them in quietly, ages
 * its numbers by the server's clock, and says so when the server is silent. Nothing here polls. */
"use strict";
(() => {
  const SILENT_MS = 15000;
  const OFFLINE_MS = 5000;
  const GAP_MS = 20000;
  const root = document.documentElement;
  const bar = document.getElementById("live");
  if (!bar) return;
  const words = bar.dataset;
  let stream = null;
  let heardAt = 0;
  let lookedAt = Date.now();
  let openedAt = 0;
  let boardAt = null;
  let shown = "";
  let wanted = "";
  let askedAt = -GAP_MS;
  let isHeld = false;
  let facts = {};
  // The phone's clock may be wrong, but it runs on while the page sleeps; how far it is off is told
  // by the server. A page that was not made just now does not know.
  const [visit] = performance.getEntriesByType("navigation");
  const isOld = root.dataset.stored || (visit && visit.type === "back_forward");
  let ahead = isOld ? 0 : Date.parse(words.now) - Date.now();

  const now = () => Date.now() + ahead;
  const fill = (text, name, value) => text.replace(`{${name}}`, value);

  function clock(at) {
    const given = { timeZone: words.zone };
    const time = new Intl.DateTimeFormat("en-GB", { ...given, hour: "2-digit", minute: "2-digit" })
      .format(at)
      .replace(":", words.language === "id" ? "." : ":");
    const day = (when) =>
      new Intl.DateTimeFormat(words.language === "id" ? "id-ID" : "en-GB", {
        ...given,
        day: "numeric",
        month: "short",
      }).format(when);
    return day(at) === day(now()) ? time : `${day(at)} ${time}`;
  }

  function age(s) {
    if (s < 60) return fill(words.s, "n", Math.max(0, Math.floor(s)));
    if (s < 3600) return fill(words.min, "n", Math.floor(s / 60));
    if (s < 172800) return fill(words.h, "n", Math.floor(s / 3600));
    return fill(words.d, "n", Math.floor(s / 86400));
  }

  // --- what is shown -------------------------------------------------------------------------

  function line() {
    const silent = Date.now() - Math.max(heardAt, lookedAt);
    if (silent > SILENT_MS || (!navigator.onLine && Date.now() - heardAt > OFFLINE_MS)) return "lost";
    if (heardAt < lookedAt) return "connecting";
    return boardAt && now() - boardAt > SILENT_MS ? "stalled" : "live";
  }

  /** Only what changed is written: a status that is written anew is read out anew. */
  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function tick() {
    const state = line();
    if (root.dataset.line !== state) root.dataset.line = state;
    const since = heardAt ? heardAt + ahead : Date.parse(words.now);
    const head = {
      lost: () => fill(words.lost, "time", clock(since)),
      stalled: () => fill(words.stalled, "time", clock(boardAt)),
    }[state];
    const kept = root.dataset.stored === "server" ? words.server : words.kept;
    write(bar.querySelector("b"), head ? head() : kept);
    for (const each of document.querySelectorAll("[data-observed]")) {
      const s = (now() - Date.parse(each.dataset.observed)) / 1000;
      const isStale = s > Number(each.dataset.staleAfter || Infinity);
      // From two days on its date says more than its age.
      const day = (each.dataset.day ||= each.textContent);
      const told = s < 172800 ? age(s) : day;
      write(each, isStale ? `${told} · ${words.stale}` : told);
      each.classList.toggle("is-stale", isStale);
    }
    if (state === "live" && (wanted !== shown || root.dataset.stored)) refresh();
  }

  // --- newer facts ---------------------------------------------------------------------------

  /** A person in the middle of something is not to lose it. */
  function isBusy() {
    const active = document.activeElement;
    return (
      isHeld ||
      !getSelection().isCollapsed ||
      (active && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName))
    );
  }

  async function refresh() {
    if (isBusy() || Date.now() - askedAt < GAP_MS) return;
    askedAt = Date.now();
    const asked = wanted;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      // What the service worker kept is no newer than what is shown.
      if (page.documentElement.dataset.stored) return;
      if (isBusy()) {
        askedAt = -GAP_MS;
        return;
      }
      take(page);
      shown = asked;
    } catch {
      // The line says by itself that nothing comes; the next change asks again.
    }
  }

  function take(page) {
    const fresh = page.querySelector("main");
    const told = page.getElementById("live");
    const main = document.querySelector("main");
    if (!fresh || !told || !main) return;
    const folds = (of) => [...of.querySelectorAll("details")];
    const key = (each) => each.id || (each.querySelector("summary") || each).textContent;
    const open = new Set(folds(main).filter((each) => each.open).map(key));
    const closed = new Set(folds(main).filter((each) => !each.open).map(key));
    const focus = document.activeElement;
    const held = focus.id ? `#${CSS.escape(focus.id)}` : `a[href="${CSS.escape(focus.getAttribute("href") || "")}"]`;
    const y = scrollY;
    for (const each of folds(fresh)) {
      if (open.has(key(each))) each.open = true;
      else if (closed.has(key(each))) each.open = false;
    }
    for (const name of ["header", "main", "footer"]) {
      const [before, after] = [document, page].map((of) => of.querySelector(`body > ${name}`));
      if (before && after) before.replaceWith(after);
    }
    Object.assign(words, told.dataset);
    bar.querySelector("span").textContent = told.querySelector("span").textContent;
    delete root.dataset.stored;
    const back = focus !== document.body && document.querySelector(held);
    if (back) back.focus({ preventScroll: true });
    scrollTo({ top: y, behavior: "instant" });
    tell(fill(words.updated, "time", clock(now())));
  }

  function tell(text) {
    const note = document.getElementById("live-note");
    note.textContent = text;
    note.classList.add("is-told");
    setTimeout(() => note.classList.remove("is-told"), 6000);
  }

  // --- the line ------------------------------------------------------------------------------

  function hear(event) {
    const frame = JSON.parse(event.data);
    heardAt = Date.now();
    ahead = frame.now * 1000 - heardAt;
    boardAt = frame.board_heard_at && frame.board_heard_at * 1000;
    if (frame.build !== words.build && !root.dataset.stored) reload();
    for (const [name, part] of frame.patches || Object.entries(frame.panels || {}))
      if (name === "indicators") follow(part, event.type === "snapshot");
    tick();
  }

  /** A change is a new version of the daily facts, a new day, or another source in trouble. */
  function follow(part, isWhole) {
    facts = isWhole ? part : { ...facts, ...part };
    const before = wanted;
    wanted = `${facts.version} ${facts.last} ${facts.troubled}`;
    // The page was made of these facts, or of newer ones that are not announced yet.
    if (!before && (!facts.version || !words.version || facts.version === words.version))
      shown = wanted;
  }

  /** A page of another program, once: a server that answers with the old one is not asked again. */
  function reload() {
    if (sessionStorage.getItem("reloaded") === words.build) return;
    sessionStorage.setItem("reloaded", words.build);
    location.reload();
  }

  function open() {
    if (stream) stream.close();
    openedAt = Date.now();
    stream = new EventSource("/stream?panels=indicators");
    for (const kind of ["snapshot", "delta", "beat"]) stream.addEventListener(kind, hear);
  }

  /** A page that nobody sees wants nothing of anybody. */
  function look() {
    if (stream) stream.close();
    stream = null;
    if (document.hidden) return;
    lookedAt = Date.now();
    open();
    tick();
  }

  function watch() {
    if (document.hidden) return;
    // A browser gives up a stream that was answered amiss, and does not notice a dead line.
    const since = Date.now() - Math.max(heardAt, openedAt);
    if (stream && since > (stream.readyState === EventSource.CLOSED ? 2000 : SILENT_MS)) open();
    tick();
  }

  // --- start ---------------------------------------------------------------------------------

  /** The typeface comes when everything else is there: it may delay nothing. */
  function dress() {
    if (navigator.connection && navigator.connection.saveData) return;
    for (const weight of [400, 700]) {
      const address = `url(/assets/fonts/b612-latin-${weight}-normal.woff2)`;
      new FontFace("B612", address, { weight }).load().then((face) => document.fonts.add(face), () => {});
    }
  }

  /** A page that was opened before the worker was there is handed to it, to be kept as well. */
  function install() {
    const workers = navigator.serviceWorker;
    if (!workers) return;
    const isNew = !workers.controller;
    workers
      .register("/mayor/sw.js", { scope: "/mayor", updateViaCache: "none" })
      .then(() => workers.ready)
      .then(({ active }) => isNew && active.postMessage({ keep: location.href }))
      .catch(() => {});
  }

  for (const [kind, holds] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]])
    addEventListener(kind, () => (isHeld = holds), { passive: true });
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", (event) => event.persisted && look());
  addEventListener("load", () => {
    look();
    dress();
    install();
  });
  setInterval(watch, 1000);
  tick();
})();
