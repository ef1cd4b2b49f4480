/* What the panels of the wall look like: payload in, component properties out. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const TRENDS = { new_today: "plain", open: "less", past_due: "less", done_today: "more" };
  const RAMP = ["#10202c", "#143146", "#18435e", "#1d5677", "#246b92"];

  function regionName(code) {
    return live.config().regions[code] || code;
  }

  function categoryName(id) {
    const names = (live.config().categories || {})[id];
    return names ? names[live.config().lang] : say("unknown category");
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

  // --- counters ----------------------------------------------------------------------------

  live.on("counters", (panel) => {
    for (const [name, wish] of Object.entries(TRENDS)) {
      const { value, last_week: before } = panel[name];
      live.set(`counter-${name}`, { children: number(value) });
      const known = before !== undefined;
      const change = known ? value - before : 0;
      const sign = change > 0 ? "▲" : change < 0 ? "▼" : "=";
      const better =
        change === 0 || wish === "plain"
          ? "same"
          : change > 0 === (wish === "more")
            ? "better"
            : "worse";
      live.fill(
        `compare-${name}`,
        known
          ? [
              part(
                "span",
                { class: `trend trend-${better}` },
                `${sign} ${number(Math.abs(change))}`,
              ),
              part("span", {}, ` ${say("from {n}", { n: number(before) })}`),
              part("span", { class: "compare-caption" }, say("same hour last week")),
            ]
          : [say("no comparison yet")],
      );
    }
  });

  live.on("city", (panel) => {
    live.set("simulated-mark", { hidden: !panel.simulated });
  });

  // --- the map -----------------------------------------------------------------------------

  function steps(most) {
    const size = Math.max(1, Math.ceil(most / RAMP.length));
    return RAMP.map((colour, index) => ({
      colour,
      from: index * size + (index ? 1 : 0),
      to: (index + 1) * size,
    }));
  }

  /** Layers of the map have no element of their own; the map they are in tells whether they exist. */
  function draw(id, props) {
    if (document.getElementById("map")) dash_clientside.set_props(id, props);
  }

  live.on("regions", (panel) => {
    const most = Math.max(0, ...Object.values(panel.open));
    draw("map-regions", { hideout: { open: panel.open, steps: steps(most) } });
    legend();
  });

  live.on("incidents", (panel, before, patch) => {
    draw("map-incidents", { data: collection(panel.features) });
    if (before && patch && patch.features) {
      for (const [id, feature] of Object.entries(patch.features))
        if (feature && !before.features[id]) announce(feature);
    }
    legend();
  });

  function collection(found) {
    const features = Object.entries(found).map(([id, feature]) => ({
      type: "Feature",
      id,
      geometry: { type: "Point", coordinates: feature.p },
      properties: { id, late: feature.d },
    }));
    return { type: "FeatureCollection", features };
  }

  function announce(feature) {
    window.lawang.map.pulse(feature.p[1], feature.p[0]);
    const element = document.getElementById("announcer");
    if (element)
      element.textContent = say("New report: {category}", { category: categoryName(feature.c) });
  }

  function legend() {
    const regions = live.panel("regions");
    const incidents = live.panel("incidents");
    if (!regions || !incidents) return;
    const most = Math.max(0, ...Object.values(regions.open));
    const swatches = steps(most).map(({ colour, from, to }) =>
      part("span", { class: "swatch" }, [
        part("i", { style: `background: ${colour}` }),
        part("span", {}, from === to ? number(to) : `${number(from)}–${number(to)}`),
      ]),
    );
    const shown = Object.keys(incidents.features).length;
    live.fill("map-legend", [
      part("div", { class: "legend-row" }, [
        part("span", { class: "legend-mark open" }, say("open")),
        part("span", { class: "legend-mark late" }, say("past due")),
        part("span", { class: "legend-mark group" }, say("several")),
      ]),
      part("div", { class: "legend-row" }, swatches),
      part(
        "div",
        { class: "legend-row legend-left-out" },
        say("{shown} of {total} on the map · {pointless} without a point · {nowhere} without location", {
          shown: number(shown),
          total: number(incidents.total),
          pointless: number(incidents.unlocated),
          nowhere: number(regions.unlocated),
        }),
      ),
    ]);
  }

  // --- ranking and latest --------------------------------------------------------------------

  function share(value, most) {
    return `width: ${most ? (100 * value) / most : 0}%`;
  }

  function rankingRow(rank, name, row, most, className) {
    return part("div", { class: `rank-row ${className}` }, [
      part("span", { class: "rank-place" }, rank),
      part("span", { class: "rank-name" }, name),
      part("span", { class: "rank-bar" }, [
        part("i", { style: share(row.open, most) }),
        part("b", { style: share(row.past_due, most) }),
      ]),
      part("span", { class: "rank-open" }, number(row.open)),
      part("span", { class: "rank-late" }, row.past_due ? number(row.past_due) : "·"),
      part("span", { class: "rank-new" }, row.new_today ? `+${number(row.new_today)}` : "·"),
    ]);
  }

  live.on("ranking", (panel) => {
    const rows = Object.entries(panel.rows).map(([code, row]) => ({
      code,
      name: regionName(code),
      ...row,
    }));
    rows.sort((a, b) => b.open - a.open || b.past_due - a.past_due || a.name.localeCompare(b.name));
    const most = Math.max(0, ...rows.map((row) => row.open), panel.unlocated.open);
    const head = part("div", { class: "rank-row rank-head" }, [
      part("span", {}, ""),
      part("span", {}, ""),
      part("span", {}, ""),
      part("span", { class: "rank-open" }, say("open")),
      part("span", { class: "rank-late" }, say("overdue")),
      part("span", { class: "rank-new" }, say("new")),
    ]);
    live.fill("ranking", [
      head,
      ...rows.map((row, index) => rankingRow(number(index + 1), row.name, row, most, "")),
      rankingRow("", say("without location"), panel.unlocated, most, "rank-nowhere"),
    ]);
  });

  live.on("latest", (panel) => {
    live.fill(
      "latest",
      panel.events.map((event) =>
        part("li", { class: `event event-${event.kind}`, "data-fresh-s": "120" }, [
          part("div", { class: "event-head" }, [
            part("span", { class: `status status-${event.status}` }, eventWord(event)),
            part("span", { class: "event-category" }, categoryName(event.category)),
            part(
              "span",
              { class: "event-place" },
              event.kelurahan
                ? regionName(event.kelurahan)
                : event.kecamatan
                  ? regionName(event.kecamatan)
                  : say("without location"),
            ),
            part(
              "span",
              {
                class: event.estimated ? "event-age estimated" : "event-age",
                "data-ago": event.at,
              },
              undefined,
            ),
          ]),
          part("div", { class: "event-text" }, event.text),
        ]),
      ),
    );
  });

  // --- the strip of sources ------------------------------------------------------------------

  /** Whose it is, and what of it could not be used: a total that leaves something out says so. */
  function about(source) {
    const parts = [source.opd];
    if (source.simulated) parts.push(say("simulated"));
    if (source.quarantined) parts.push(say("{n} in quarantine", { n: number(source.quarantined) }));
    return parts.join(" · ");
  }

  function shape(sources) {
    return Object.entries(sources)
      .map(([id, { name, opd, simulated, quarantined }]) =>
        [id, name, opd, simulated, quarantined].join("|"),
      )
      .join();
  }

  /** More than this many chips would take the wall from what it is for. */
  const MOST_CHIPS = 8;

  live.on("sources", (panel, before) => {
    if (before && shape(before.sources) === shape(panel.sources)) return;
    const strip = document.getElementById("source-strip");
    if (strip) {
      const dense = Object.keys(panel.sources).length > MOST_CHIPS;
      strip.closest(".strip").classList.toggle("dense", dense);
    }
    live.fill(
      "source-strip",
      Object.entries(panel.sources).map(([id, source]) =>
        part("div", { class: "source-chip", "data-source": id, "data-health": "never", title: source.name }, [
          part("span", { class: "lamp" }),
          part("div", { class: "chip-names" }, [
            part("span", { class: "chip-name" }, source.name),
            part("span", { class: "chip-opd" }, about(source)),
          ]),
          part("div", { class: "chip-state" }, [
            part("span", { class: "chip-age", "data-source-age": "" }),
            part("span", { class: "chip-health", "data-source-health": "" }),
          ]),
        ]),
      ),
    );
  });
})();
