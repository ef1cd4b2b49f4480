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
      const better = change === 0 || wish === "plain" ? "same" : (change > 0) === (wish === "more") ? "better" : "worse";
      live.set(`compare-${name}`, {
        children: known
          ? [
              part("Span", { className: `trend trend-${better}`, key: "t" }, `${sign} ${number(Math.abs(change))}`),
              part("Span", { key: "b" }, ` ${say("from {n}", { n: number(before) })}`),
              part("Span", { className: "compare-caption", key: "c" }, say("same hour last week")),
            ]
          : say("no comparison yet"),
      });
    }
  });

  live.on("city", (panel) => {
    live.set("simulated-mark", { hidden: !panel.simulated });
  });

  // --- the map -----------------------------------------------------------------------------

  function steps(most) {
    const size = Math.max(1, Math.ceil(most / RAMP.length));
    return RAMP.map((colour, index) => ({ colour, from: index * size + (index ? 1 : 0), to: (index + 1) * size }));
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
    if (element) element.textContent = say("New report: {category}", { category: categoryName(feature.c) });
  }

  function legend() {
    const regions = live.panel("regions");
    const incidents = live.panel("incidents");
    if (!regions || !incidents) return;
    const most = Math.max(0, ...Object.values(regions.open));
    const swatches = steps(most).map(({ colour, from, to }) =>
      part("Span", { className: "swatch", key: colour }, [
        part("I", { key: "c", style: { background: colour } }),
        part("Span", { key: "n" }, from === to ? number(to) : `${number(from)}–${number(to)}`),
      ]),
    );
    const shown = Object.keys(incidents.features).length;
    live.set("map-legend", {
      children: [
        part("Div", { className: "legend-row", key: "marks" }, [
          part("Span", { className: "legend-mark open", key: "o" }, say("open")),
          part("Span", { className: "legend-mark late", key: "l" }, say("past due")),
          part("Span", { className: "legend-mark group", key: "g" }, say("several")),
        ]),
        part("Div", { className: "legend-row", key: "ramp" }, swatches),
        part(
          "Div",
          { className: "legend-row legend-left-out", key: "out" },
          say("{shown} of {total} on the map · {unlocated} without location", {
            shown: number(shown),
            total: number(incidents.total),
            unlocated: number(incidents.unlocated),
          }),
        ),
      ],
    });
  }

  // --- ranking and latest --------------------------------------------------------------------

  function rankingRow(rank, name, row, most, className) {
    return part("Div", { className: `rank-row ${className}`, key: name }, [
      part("Span", { className: "rank-place", key: "r" }, rank),
      part("Span", { className: "rank-name", key: "n" }, name),
      part("Span", { className: "rank-bar", key: "b" }, [
        part("I", { key: "o", style: { width: `${most ? (100 * row.open) / most : 0}%` } }),
        part("B", { key: "l", style: { width: `${most ? (100 * row.past_due) / most : 0}%` } }),
      ]),
      part("Span", { className: "rank-open", key: "v" }, number(row.open)),
      part("Span", { className: "rank-late", key: "p" }, row.past_due ? number(row.past_due) : "·"),
      part("Span", { className: "rank-new", key: "w" }, row.new_today ? `+${number(row.new_today)}` : "·"),
    ]);
  }

  live.on("ranking", (panel) => {
    const rows = Object.entries(panel.rows).map(([code, row]) => ({ code, name: regionName(code), ...row }));
    rows.sort((a, b) => b.open - a.open || b.past_due - a.past_due || a.name.localeCompare(b.name));
    const most = Math.max(0, ...rows.map((row) => row.open), panel.unlocated.open);
    const head = part("Div", { className: "rank-row rank-head", key: "head" }, [
      part("Span", { key: "1" }, ""),
      part("Span", { key: "2" }, ""),
      part("Span", { key: "3" }, ""),
      part("Span", { className: "rank-open", key: "4" }, say("open")),
      part("Span", { className: "rank-late", key: "5" }, say("overdue")),
      part("Span", { className: "rank-new", key: "6" }, say("new")),
    ]);
    live.set("ranking", {
      children: [
        head,
        ...rows.map((row, index) => rankingRow(number(index + 1), row.name, row, most, "")),
        rankingRow("", say("without location"), panel.unlocated, most, "rank-nowhere"),
      ],
    });
  });

  live.on("latest", (panel) => {
    live.set("latest", {
      children: panel.events.map((event) =>
        part("Li", { className: `event event-${event.kind}`, key: event.id, "data-fresh-s": "120" }, [
          part("Div", { className: "event-head", key: "h" }, [
            part("Span", { className: `status status-${event.status}`, key: "s" },
              eventWord(event)),
            part("Span", { className: "event-category", key: "c" }, categoryName(event.category)),
            part("Span", { className: "event-place", key: "p" },
              event.kelurahan ? regionName(event.kelurahan) : event.kecamatan ? regionName(event.kecamatan) : say("without location")),
            part("Span", { className: event.estimated ? "event-age estimated" : "event-age", key: "a", "data-ago": event.at }, undefined),
          ]),
          part("Div", { className: "event-text", key: "t" }, event.text),
        ]),
      ),
    });
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
      .map(([id, { name, opd, simulated, quarantined }]) => [id, name, opd, simulated, quarantined].join("|"))
      .join();
  }

  live.on("sources", (panel, before) => {
    if (before && shape(before.sources) === shape(panel.sources)) return;
    live.set("source-strip", {
      children: Object.entries(panel.sources).map(([id, source]) =>
        part("Div", { className: "source-chip", key: id, "data-source": id, "data-health": "never" }, [
          part("Span", { className: "lamp", key: "l" }),
          part("Div", { className: "chip-names", key: "t" }, [
            part("Span", { className: "chip-name", key: "n" }, source.name),
            part("Span", { className: "chip-opd", key: "o" }, about(source)),
          ]),
          part("Div", { className: "chip-state", key: "s" }, [
            part("Span", { className: "chip-age", key: "a", "data-source-age": "" }),
            part("Span", { className: "chip-health", key: "h", "data-source-health": "" }),
          ]),
        ]),
      ),
    });
  });
})();
