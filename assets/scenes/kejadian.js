/* Scene kejadian: where reports are open, how many, where most, and what came last. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts } = window.lawang.wall;
  const TRENDS = { new_today: "plain", open: "less", past_due: "less", done_today: "more" };
  const SPANS_S = { "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800 };

  function titles() {
    return {
      new_today: say("New today"),
      open: say("Open"),
      past_due: say("Past due"),
      done_today: say("Done today"),
    };
  }

  function statusWord(status) {
    return {
      menunggu: () => say("Waiting"),
      koordinasi: () => say("Coordination"),
      disposisi: () => say("Disposition"),
      proses: () => say("In progress"),
      selesai: () => say("Done"),
      dikembalikan: () => say("Returned"),
      ditolak: () => say("Rejected"),
      tidak_diketahui: () => say("Unknown status"),
    }[status]();
  }

  function eventWord(event) {
    return {
      reported: () => say("New report"),
      reopened: () => say("Reopened"),
      amended: () => say("Amended"),
      verified: () => say("Verified"),
      status_changed: () => statusWord(event.status),
    }[event.kind]();
  }

  function windowWord(name) {
    return {
      "1h": () => say("last hour"),
      "6h": () => say("last 6 hours"),
      "24h": () => say("last 24 hours"),
      "7d": () => say("last 7 days"),
    }[name]();
  }

  /** Whether a report of this category, place, source and time is within the filters. */
  function passes(filters, { category, kecamatan, source, at }) {
    if ((filters.category || []).length && !filters.category.includes(category)) return false;
    if ((filters.kecamatan || []).length && !filters.kecamatan.includes(kecamatan)) return false;
    if ((filters.opd || []).length && !filters.opd.includes(live.config().departments[source])) return false;
    const span = SPANS_S[filters.window];
    return !span || live.now() - live.seconds(at) <= span;
  }

  function narrows(filters) {
    return ["category", "kecamatan", "opd"].some((name) => (filters[name] || []).length);
  }

  function chips(filters) {
    const said = [
      filters.window ? windowWord(filters.window) : "",
      ...(filters.category || []).map(parts.categoryName),
      ...(filters.kecamatan || []).map(parts.regionName),
      ...(filters.opd || []).map(window.lawang.wall.opdName),
    ].filter(Boolean);
    return said.map((text) => part("span", { class: "chip" }, text));
  }

  // --- counters ------------------------------------------------------------------------------

  function counter(name, title) {
    const tile = parts.tile({ title, panel: "counters", id: name, className: `counter counter-${name}` });
    const figure = parts.figure({});
    figure.value.dataset.counter = name;
    tile.body.append(figure.root);
    return { ...tile, figure };
  }

  function compare(panel, name) {
    const { value, last_week: before } = panel[name];
    if (before === undefined) return [say("no comparison yet")];
    const change = value - before;
    const sign = change > 0 ? "▲" : change < 0 ? "▼" : "=";
    const wish = TRENDS[name];
    const better =
      change === 0 || wish === "plain" ? "same" : change > 0 === (wish === "more") ? "better" : "worse";
    return [
      part("span", { class: `trend trend-${better}` }, `${sign} ${number(Math.abs(change))}`),
      ` ${say("from {n} a week ago", { n: number(before) })}`,
    ];
  }

  // --- ranking -------------------------------------------------------------------------------

  function rankingRow(name, row, most, code) {
    const width = (value) => `width: ${most ? (100 * value) / most : 0}%`;
    return part("div", { class: code ? "rank-row" : "rank-row rank-nowhere", "data-region": code }, [
      part("span", { class: "rank-name" }, name),
      part("span", { class: "rank-bar" }, [
        part("i", { style: width(row.open) }),
        part("b", { style: width(row.past_due) }),
      ]),
      part("span", { class: "rank-open" }, number(row.open)),
      part("span", { class: "rank-late" }, row.past_due ? number(row.past_due) : "·"),
      part("span", { class: "rank-new" }, row.new_today ? `+${number(row.new_today)}` : "·"),
    ]);
  }

  function rankingHead(latest) {
    return part("div", { class: "rank-row rank-head" }, [
      part("span", {}, ""),
      part("span", {}, ""),
      part("span", { class: "rank-open" }, say("open")),
      part("span", { class: "rank-late" }, say("overdue")),
      part("span", { class: "rank-new" }, latest),
    ]);
  }

  /** The ranking of what the filters let through, of reports that have a point. */
  function countPlaces(filters, features) {
    const rows = Object.fromEntries(
      Object.keys((live.panel("ranking") || { rows: {} }).rows).map((code) => [
        code,
        { open: 0, past_due: 0, new_today: 0 },
      ]),
    );
    const nowhere = { open: 0, past_due: 0, new_today: 0 };
    for (const each of Object.values(features)) {
      if (!passes({ ...filters, window: null }, { category: each.c, kecamatan: each.k, source: each.o })) continue;
      const row = rows[each.k] || nowhere;
      row.open += 1;
      row.past_due += each.d;
      row.new_today += passes({ window: filters.window || "24h" }, { at: each.t }) ? 1 : 0;
    }
    return { rows, unlocated: nowhere };
  }

  // --- events --------------------------------------------------------------------------------

  function eventRow(event) {
    const place = parts.regionName(event.kelurahan || event.kecamatan);
    return part("li", { class: `event event-${event.kind}`, "data-fresh-s": "120" }, [
      part("div", { class: "event-head" }, [
        part("span", { class: `status status-${event.status}` }, eventWord(event)),
        part("span", { class: "event-category" }, parts.categoryName(event.category)),
        part("span", {
          class: event.estimated ? "event-age estimated" : "event-age",
          "data-ago": event.at,
        }),
      ]),
      part("div", { class: "event-text" }, [
        part("span", { class: "event-place" }, place),
        event.text ? ` · ${event.text}` : "",
      ]),
    ]);
  }

  // --- the scene -----------------------------------------------------------------------------

  window.lawang.wall.scene("kejadian", {
    panels: ["counters", "regions", "incidents", "latest", "ranking"],
    mount(root, context) {
      const { filters } = context;
      const isNarrow = narrows(filters);
      const map = parts.tile({ title: say("Open reports"), panel: "incidents", className: "kej-map", id: "map" });
      map.heading.append(...chips(filters));
      const slot = part("div", { class: "map-slot" });
      map.body.append(slot);
      const counters = part("div", { class: "kej-counters" });
      const made = Object.fromEntries(
        Object.entries(titles()).map(([name, title]) => [
          name,
          counter(name, isNarrow ? `${title} · ${say("whole city")}` : title),
        ]),
      );
      counters.append(...Object.values(made).map((each) => each.root));
      const ranking = parts.tile({ title: say("Kecamatan"), panel: "ranking", className: "kej-ranking", id: "ranking" });
      const latest = parts.tile({ title: say("Latest events"), panel: "latest", className: "kej-latest", id: "latest" });
      const places = part("div", { class: "ranking" });
      ranking.body.append(places);
      const list = part("ol", { class: "latest" });
      latest.body.append(list);
      root.append(map.root, counters, ranking.root, latest.root);
      const drawn = context.map({
        slot,
        // Over a week single reports hide where they are dense.
        layers: filters.window === "7d" ? ["regions", "heat", "incidents"] : ["regions", "incidents"],
        measure: "open",
        filters,
        window: filters.window,
      });

      function drawCounters(panel) {
        for (const [name, each] of Object.entries(made))
          each.figure.set(number(panel[name].value), compare(panel, name));
      }

      function drawRanking() {
        const panel = isNarrow
          ? countPlaces(filters, (live.panel("incidents") || { features: {} }).features)
          : live.panel("ranking");
        if (!panel) return;
        const rows = Object.entries(panel.rows).map(([code, row]) => ({
          code,
          name: parts.regionName(code),
          ...row,
        }));
        rows.sort((a, b) => b.open - a.open || b.past_due - a.past_due || a.name.localeCompare(b.name));
        const most = Math.max(0, ...rows.map((row) => row.open), panel.unlocated.open);
        places.replaceChildren(
          rankingHead(say("new")),
          ...rows.map((row) => rankingRow(row.name, row, most, row.code)),
          // Reports without a point are not among those that a narrowed scene counts.
          isNarrow ? "" : rankingRow(say("without location"), panel.unlocated, most),
        );
      }

      function drawLatest() {
        const panel = live.panel("latest");
        if (!panel) return;
        const events = panel.events.filter((each) =>
          passes(filters, { ...each, source: each.incident.split(":")[0] }),
        );
        list.replaceChildren(...events.map(eventRow));
        if (!events.length) list.append(parts.nothing(say("Nothing of this kind among the latest events")));
      }

      return {
        update(name, panel, before, patch) {
          if (name === "counters") drawCounters(panel);
          if (name === "ranking" || (isNarrow && name === "incidents")) drawRanking();
          if (name === "latest") drawLatest();
          if (drawn) drawn.update(name, panel, before, patch);
        },
      };
    },
  });

  window.lawang.wall.filters = { passes, chips, windowWord, SPANS_S };
})();
