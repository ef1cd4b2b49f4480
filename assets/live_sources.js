/* The table of sources: what each one's last polls brought, how well it is heard, and what to do.
 *
 * Rows are made once and their cells changed where they differ, so that a click or a selection is
 * not lost to the next poll. What is searched, filtered and chosen stands in the address.
 */
"use strict";

window.lawang = window.lawang || {};

window.lawang.sources = (() => {
  const live = window.lawang.live;
  const { say, number, part, clock, seconds } = live;

  /** Quality and heartbeats change slowly. */
  const STANDINGS_EVERY_MS = 60000;
  /** After a hint by the stream, not more often than this. */
  const HINT_MS = 5000;
  const BEATS = 96;
  const STATES = ["fresh", "late", "stale", "down", "refused", "never"];

  const ERRORS = {
    unreachable: () =>
      say(
        "The department's server cannot be reached. Check that it runs and that the network is up.",
      ),
    timeout: () =>
      say(
        "The server does not answer in time. It may be overloaded; ask its operator if this goes on.",
      ),
    rate_limited: () =>
      say("The server asks us to call less often. We wait; raise the interval if this goes on."),
    bad_status: () => say("The server reports an error of its own. Tell the department."),
    refused: () =>
      say("The server refuses our key. Ask the department for a valid key and set it."),
    not_found: () =>
      say("The address is wrong: nothing is there. Check the address with the department."),
    redirected: () =>
      say(
        "The server sends us to another host, which is not allowed. Check the address with the department.",
      ),
    host_not_allowed: () =>
      say(
        "Its address leads to a host that is not on this source's list. If the host is right, add it to the source's file.",
      ),
    private_address: () =>
      say(
        "Its address leads into a private network, which is not allowed. If that is right, allow it in the source's file.",
      ),
    garbage: () =>
      say("The answer cannot be read. The department may have changed its system; tell them."),
    truncated: () =>
      say("The answer breaks off in the middle. The network or the server is failing."),
    silent: () =>
      say("The department has sent nothing for too long. Ask whether its system still runs."),
    too_large: () =>
      say("The answer is larger than allowed and was not read. Check what the department sends."),
    tls: () =>
      say(
        "The server's certificate is not valid. Ask the department to renew it, or set its CA file.",
      ),
    not_configured: () => say("Not connected yet: a setting is missing."),
    store_busy: () =>
      say("Our database is locked by another program; nothing is lost, it is read again."),
    store_down: () => say("Our database cannot be reached; nothing is lost, it is read again."),
    cache_down: () => say("Our live state cannot be reached; it is filled again when it is back."),
    crash: () => say("Our program stumbled over this source. See the poller's log."),
  };

  const KINDS = {
    incidents: () => say("incidents"),
    readings: () => say("readings"),
    service_requests: () => say("service requests"),
    positions: () => say("positions"),
    alerts: () => say("warnings"),
  };

  const STATE_WORDS = {
    never: () => say("never heard"),
    fresh: () => say("fresh"),
    late: () => say("late"),
    stale: () => say("stale"),
    down: () => say("down"),
    refused: () => say("refused"),
  };

  const query = new URLSearchParams(location.search);
  const wanted = {
    q: query.get("q") || "",
    opd: query.get("opd") || "",
    state: STATES.includes(query.get("state")) ? query.get("state") : "",
    source: query.get("source") || "",
  };
  const rows = new Map();
  const chosenListeners = [];
  let standings = null;
  let asked = -Infinity;
  let hinted = null;
  let built = false;

  // --- words -------------------------------------------------------------------------------

  function errorText(source) {
    if (!source.error_kind) return "";
    const words = ERRORS[source.error_kind] ? ERRORS[source.error_kind]() : source.error_kind;
    const since = source.failing_since
      ? ` ${say("Since {time}.", { time: clock(seconds(source.failing_since)) })}`
      : "";
    return `${words}${since}`;
  }

  function errorWord(kind) {
    return ERRORS[kind] ? ERRORS[kind]() : kind;
  }

  /** Rounded down: what is not whole does not look whole. */
  function percent(share) {
    return share === null || share === undefined ? "–" : `${Math.floor(share * 100 + 1e-9)}%`;
  }

  function time(iso) {
    return iso ? clock(seconds(iso)) : "–";
  }

  /** What stands out although the polls succeed. */
  function notes(source) {
    const found = [];
    if (source.unknown_category)
      found.push(say("{n} with an unknown category", { n: number(source.unknown_category) }));
    if (source.unknown_status)
      found.push(say("{n} with an unknown status", { n: number(source.unknown_status) }));
    if (source.skewed)
      found.push(say("{n} with a time ahead of ours", { n: number(source.skewed) }));
    if (source.outdated)
      found.push(say("{n} older than already known", { n: number(source.outdated) }));
    return found.join(" · ");
  }

  function yieldsOf(id) {
    const kinds = (live.config().yields || {})[id] || [];
    return kinds.map((kind) => (KINDS[kind] ? KINDS[kind]() : kind)).join(", ");
  }

  // --- heartbeats --------------------------------------------------------------------------

  /** A bar a quarter of an hour: tall, broken, short or a dot; never told by colour alone. */
  function beats(standing) {
    const counts = { o: 0, p: 0, f: 0, "-": 0 };
    const lines = { o: "", p: "", f: "", "-": "" };
    [...standing.beats].forEach((beat, at) => {
      counts[beat] += 1;
      const x = at + 0.1;
      if (beat === "o") lines.o += `M${x} 1h.8v15h-.8z`;
      else if (beat === "p") lines.p += `M${x} 1h.8v5h-.8zM${x} 9h.8v7h-.8z`;
      else if (beat === "f") lines.f += `M${x} 11h.8v5h-.8z`;
      else lines["-"] += `M${x} 15h.8v1h-.8z`;
    });
    const text = say("Quarter hours: {ok} heard, {partly} in part, {failed} failed, {none} unpolled", {
      ok: counts.o,
      partly: counts.p,
      failed: counts.f,
      none: counts["-"],
    });
    const picture = drawn("svg", {
      class: "beats",
      viewBox: `0 0 ${BEATS} 16`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": text,
    });
    const title = drawn("title", {});
    title.textContent = text;
    picture.append(title);
    for (const [beat, line] of Object.entries(lines))
      if (line) picture.append(drawn("path", { class: `beat-${BEAT_CLASS[beat]}`, d: line }));
    return picture;
  }

  const BEAT_CLASS = { o: "ok", p: "partly", f: "failed", "-": "none" };

  function drawn(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  // --- the table ---------------------------------------------------------------------------

  /** On a phone the table's head is gone and each value carries its own label. */
  const CELLS = {
    source: (id, source) => [
      part("a", { class: "source-name", href: address({ source: id }) }, source.name),
      part(
        "span",
        { class: "source-about" },
        `${source.opd} · ${live.about(source) || source.connector}${source.simulated ? ` · ${say("simulated")}` : ""}`,
      ),
      part("span", { class: "source-yields" }, yieldsOf(id)),
    ],
    state: () => [
      part("span", { class: "lamp" }),
      part("span", { class: "state-word", "data-source-health": "" }),
    ],
    success: (_id, source) => [
      part("span", {}, `${time(source.last_success)} `),
      part("span", { class: "source-age", "data-source-age": "" }),
      part(
        "span",
        { class: "source-about" },
        source.observed_at ? say("newest change {time}", { time: time(source.observed_at) }) : "",
      ),
    ],
    beats: (id) => (standingOf(id) ? [beats(standingOf(id))] : ["–"]),
    quality: (id) => (standingOf(id) ? qualityFigures(standingOf(id).day) : ["–"]),
    known: (id, source) => knownFigures(id, source),
    check: (id, source) => {
      const figures = [
        ["findings", say("findings"), findingsOf(id, source)],
        ["quarantined", say("in quarantine"), source.quarantined],
        ["unlocated", say("unlocated"), source.unlocated],
      ].filter(([, , value]) => value);
      return figures.length ? figures.map(([key, label, value]) => figure(key, label, value)) : ["–"];
    },
    error: (_id, source) => [
      part("span", {}, errorText(source)),
      part("span", { class: "source-about" }, notes(source)),
      part(
        "span",
        { class: "source-about", lang: "en" },
        source.error_kind ? source.error_detail : "",
      ),
    ],
  };
  const LABELS = {
    state: () => say("State"),
    success: () => say("Last success"),
    beats: () => say("Last 24 hours"),
    quality: () => say("Quality, 24 hours"),
    known: () => say("Known"),
    check: () => say("To look at"),
    error: () => say("Last error"),
  };

  function figure(key, label, value) {
    return part("span", { class: value ? "figure-pair is-some" : "figure-pair" }, [
      part("b", { "data-key": key }, number(value)),
      part("span", {}, label),
    ]);
  }

  function knownFigures(id, source) {
    const kinds = (live.config().yields || {})[id] || [];
    const counts = {
      incidents: [say("incidents"), source.incidents],
      readings: [say("series"), source.series],
      service_requests: [say("service requests"), source.requests],
      positions: [say("positions"), source.positions],
      alerts: [say("warnings"), source.alerts],
    };
    return kinds
      .filter((kind) => counts[kind])
      .map((kind) => figure(kind, counts[kind][0], counts[kind][1] || 0));
  }

  function qualityFigures(quality) {
    return [
      share("completeness", say("complete"), quality.completeness),
      share("timeliness", say("on time"), quality.timeliness),
      share("validity", say("valid"), quality.validity),
      share("uniqueness", say("unique"), quality.uniqueness),
    ];
  }

  function share(key, label, value) {
    const low = value !== null && value < 0.9 ? "figure-pair is-low" : "figure-pair";
    return part("span", { class: low }, [
      part("b", { "data-key": key }, percent(value)),
      part("span", {}, label),
    ]);
  }

  function standingOf(id) {
    return standings ? standings[id] : undefined;
  }

  /** The poller's own count may lag behind a decision; history's is the true one. */
  function findingsOf(id, source) {
    const standing = standingOf(id);
    return standing ? standing.findings : source.findings || 0;
  }

  function makeRow(id) {
    const cells = {};
    for (const key of Object.keys(CELLS)) {
      cells[key] =
        key === "source"
          ? part("th", { scope: "row", class: "col-source" }, "")
          : part("td", { class: `col-${key} ${key}-cell`, "data-label": LABELS[key]() }, "");
    }
    const row = part("tr", { "data-source": id, "data-health": "never" }, Object.values(cells));
    return { row, cells, signatures: {} };
  }

  function showRow(id, source) {
    if (!rows.has(id)) rows.set(id, makeRow(id));
    const { cells, signatures } = rows.get(id);
    for (const [key, make] of Object.entries(CELLS)) {
      const children = make(id, source).filter((child) => child !== "");
      const signature = children
        .map((child) => (child.outerHTML === undefined ? child : child.outerHTML))
        .join("");
      if (signatures[key] === signature) continue;
      signatures[key] = signature;
      cells[key].replaceChildren(...children);
    }
  }

  function sources() {
    const panel = live.panel("sources");
    return panel ? panel.sources : {};
  }

  function show(ids) {
    const body = document.getElementById("sources-body");
    if (!body) return;
    const known = sources();
    for (const id of ids || Object.keys(known)) if (known[id]) showRow(id, known[id]);
    for (const id of [...rows.keys()]) {
      if (known[id]) continue;
      rows.get(id).row.remove();
      rows.delete(id);
    }
    const order = Object.keys(known).map((id) => rows.get(id).row);
    if (order.some((row, at) => body.children[at] !== row)) body.replaceChildren(...order);
    narrow();
  }

  // --- search and filters --------------------------------------------------------------------

  function matches(id, source) {
    if (wanted.opd && source.opd !== wanted.opd) return false;
    if (wanted.state && live.health(source) !== wanted.state) return false;
    const text = [id, source.name, source.opd, source.description, source.description_en, source.connector, yieldsOf(id)]
      .join(" ")
      .toLowerCase();
    return wanted.q
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word));
  }

  function narrow() {
    let shown = 0;
    for (const [id, { row }] of rows) {
      const source = sources()[id];
      const fits = Boolean(source) && matches(id, source);
      if (row.hidden === fits) row.hidden = !fits;
      if (wanted.source === id) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      shown += fits;
    }
    const none = document.getElementById("sources-none");
    if (none) {
      const text = rows.size && !shown ? say("No source fits. Change the search or the filters.") : "";
      if (none.textContent !== text) none.textContent = text;
    }
    count();
  }

  function count() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const source of Object.values(sources())) counts[live.health(source)] += 1;
    for (const state of STATES) {
      const button = document.querySelector(`#source-tools [data-state="${state}"]`);
      if (!button) continue;
      const figure = button.querySelector("b");
      if (figure.textContent !== String(counts[state])) figure.textContent = String(counts[state]);
      button.setAttribute("aria-pressed", String(wanted.state === state));
      button.classList.toggle("is-none", !counts[state]);
    }
  }

  function address(changes) {
    const next = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries({ ...wanted, ...changes }))
      if (value) next.set(key, value);
      else next.delete(key);
    const text = next.toString();
    return text ? `?${text}` : location.pathname;
  }

  function want(changes) {
    const before = wanted.source;
    Object.assign(wanted, changes);
    history.replaceState(history.state, "", address({}));
    narrow();
    follow();
    if (wanted.source !== before) for (const listener of chosenListeners) listener(wanted.source);
  }

  /** Links that lead to this page in another language keep what is chosen. */
  function follow() {
    for (const link of document.querySelectorAll("a.language")) {
      const next = new URLSearchParams(location.search);
      next.set("lang", link.lang);
      link.setAttribute("href", `?${next}`);
    }
    for (const [id, { row }] of rows) {
      const link = row.querySelector("a.source-name");
      if (link) link.setAttribute("href", address({ source: id }));
    }
  }

  function option(value, label, chosen) {
    const made = part("option", { value, class: "opd-name" }, label);
    made.selected = chosen;
    return made;
  }

  function build() {
    const tools = document.getElementById("source-tools");
    if (!tools || built || !live.panel("sources")) return;
    built = true;
    const search = part("input", {
      type: "search",
      id: "source-search",
      placeholder: say("Search name, department, protocol"),
      "aria-label": say("Search name, department, protocol"),
      autocomplete: "off",
    });
    search.value = wanted.q;
    search.addEventListener("input", () => want({ q: search.value.trim() }));
    const opds = [...new Set(Object.values(sources()).map((source) => source.opd))].sort();
    const opd = part("select", { id: "source-opd", "aria-label": say("Department") }, [
      part("option", { value: "" }, say("All departments")),
      ...opds.map((name) => option(name, name, name === wanted.opd)),
    ]);
    opd.addEventListener("change", () => want({ opd: opd.value }));
    const states = STATES.map((state) => {
      const button = part(
        "button",
        { type: "button", class: "state-count", "data-state": state, "data-health": state },
        [
          part("span", { class: "lamp" }),
          part("b", {}, "0"),
          part("span", {}, STATE_WORDS[state]()),
        ],
      );
      button.addEventListener("click", () => want({ state: wanted.state === state ? "" : state }));
      return button;
    });
    tools.replaceChildren(
      part("div", { class: "state-counts", role: "group", "aria-label": say("State") }, states),
      part("div", { class: "source-filters" }, [search, opd]),
    );
    document.getElementById("sources-body").addEventListener("click", (event) => {
      const link = event.target.closest("a.source-name");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      want({ source: link.closest("tr").dataset.source });
    });
    follow();
    for (const listener of chosenListeners) if (wanted.source) listener(wanted.source);
  }

  // --- standings: quality and heartbeats ------------------------------------------------------

  async function ask() {
    if (!document.getElementById("sources-body") || document.hidden) return;
    asked = performance.now();
    try {
      const answer = await fetch("/api/v1/quality", { cache: "no-store" });
      if (!answer.ok) return;
      standings = (await answer.json()).sources;
      show();
    } catch (error) {
      // The page's own line says that the server is away; the last figures stay.
    }
  }

  /** Ask soon, as something happened; many hints in a while are one. */
  function hint() {
    if (hinted) return;
    hinted = setTimeout(
      () => {
        hinted = null;
        ask();
      },
      Math.max(0, asked + HINT_MS - performance.now()),
    );
  }

  live.on("sources", (panel, before, patch) => {
    if (!document.getElementById("sources-body")) return;
    const first = !built;
    build();
    const changed = patch && patch.sources ? Object.keys(patch.sources) : null;
    show(changed);
    if (first) {
      ask();
      setInterval(narrow, 1000);
      setInterval(ask, STANDINGS_EVERY_MS);
    } else if (
      (changed || []).some(
        (id) => patch.sources[id] && ("findings" in patch.sources[id] || "failures" in patch.sources[id]),
      )
    )
      hint();
  });

  return {
    /** Told the id of the source that is chosen, or "" for none. */
    onChosen: (listener) => chosenListeners.push(listener),
    want,
    hint,
    ask,
    standingOf,
    errorText,
    errorWord,
    percent,
    time,
    beats,
    notes,
    yieldsOf,
    address,
    source: (id) => sources()[id],
  };
})();
