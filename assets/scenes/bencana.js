/* Scene bencana: rain, water against its marks, warnings of others, reports of flooding, on one map. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, format, charts } = window.lawang.wall;
  const FLOOD = ["banjir", "drainase"];
  /** Of warnings by the scale of CAP, which has four steps and one for what nobody judged. */
  const WARNING_SIGNS = { extreme: "◆", severe: "▲", moderate: "●", minor: "○", unknown: "?" };
  const WORST_FIRST = Object.keys(WARNING_SIGNS);
  const LOOK_MS = 5000;

  function markOf(panel, gauge) {
    return (panel.marks || []).find((mark) => mark.rule === gauge.mark);
  }

  /** Gauges with the highest mark first, then by value; silent ones after those that speak. */
  function sorted(panel) {
    const height = (gauge) => (panel.marks || []).findIndex((mark) => mark.rule === gauge.mark);
    return Object.entries(panel.gauges || {})
      .map(([id, gauge]) => ({ id, ...gauge, silent: parts.isSilent(gauge) }))
      .sort(
        (a, b) =>
          Number(a.silent) - Number(b.silent) || height(b) - height(a) || (b.v ?? -1e9) - (a.v ?? -1e9),
      );
  }

  function shortName(name) {
    return name.replace(/\s*\((tiruan|simulasi)\)/i, "").replace(/^Pos (duga air|hujan)\s+/i, "");
  }

  function stateOf(panel, gauge) {
    if (gauge.silent) return { severity: "silent", sign: "✕", word: say("silent") };
    const mark = markOf(panel, gauge);
    if (!mark) return { severity: "none", sign: "✓", word: "" };
    return { severity: mark.severity, sign: live.SIGNS[mark.severity], word: parts.named(mark) };
  }

  /** The payload counts minutes back; a chart goes forward. */
  function course(gauge) {
    return (gauge.spark || []).map(([ago, value]) => [-ago, value]).sort(([a], [b]) => a - b);
  }

  function gaugeRow(panel, gauge, digits) {
    const state = stateOf(panel, gauge);
    const rise = gauge.rise;
    const marks = (panel.marks || []).map((mark) => mark.over);
    const near = marks.filter((mark) => gauge.v !== undefined && gauge.v > mark * 0.6);
    return part("div", { class: `gauge gauge-${state.severity}`, "data-region": gauge.k }, [
      part("span", { class: "gauge-sign", title: state.word }, state.sign),
      part("span", { class: "gauge-name" }, shortName(gauge.n)),
      part("span", { class: "gauge-spark" }, [charts.spark(course(gauge), { marks: near, label: gauge.n })]),
      part("span", { class: "gauge-rise" }, [
        gauge.silent
          ? part("span", { "data-ago": gauge.at })
          : rise === undefined
            ? parts.partOfHour(gauge)
            : `${rise > 0.5 ? "▲" : rise < -0.5 ? "▼" : "="} ${format.number(Math.abs(rise))}`,
      ]),
      part("span", { class: "gauge-value" }, format.number(gauge.v, digits)),
    ]);
  }

  function warningRow(warning) {
    const until = warning.expires_at;
    return part("div", { class: `warning warning-${warning.severity}` }, [
      part("span", { class: "warning-sign" }, WARNING_SIGNS[warning.severity] || WARNING_SIGNS.unknown),
      part("div", { class: "warning-words" }, [
        part("span", { class: "warning-head" }, warning.headline || warning.event),
        part("span", { class: "warning-note" }, [
          warning.sender || "",
          until ? ` · ${say("until {time}", { time: live.clock(live.seconds(until)) })}` : "",
          warning.regions && warning.regions.length
            ? ` · ${say("{n} kecamatan", { n: number(warning.regions.length) })}`
            : "",
        ]),
      ]),
    ]);
  }

  window.lawang.wall.scene("bencana", {
    panels: ["water", "rain", "warnings", "incidents", "regions", "vehicles"],
    mount(root, context) {
      const span = context.filters.window || "6h";
      const { category = [] } = context.filters;
      const shown = { ...context.filters, category: category.length ? category : FLOOD };
      const map = parts.tile({ title: say("Water, warnings and reports of flooding"), panel: "incidents", className: "ben-map", id: "map" });
      const slot = part("div", { class: "map-slot" });
      map.body.append(slot);
      const figures = {
        water: parts.tile({ title: say("Highest water"), panel: "water", className: "ben-figure", id: "water-highest" }),
        rain: parts.tile({ title: say("Heaviest rain"), panel: "rain", className: "ben-figure", id: "rain-heaviest" }),
        flood: parts.tile({ title: say("Reports of flooding"), panel: "incidents", className: "ben-figure", id: "floods" }),
      };
      const water = parts.tile({ title: say("Water level, cm"), panel: "water", className: "ben-water", id: "water" });
      const rain = parts.tile({ title: say("Rain of the last hour, mm"), panel: "rain", className: "ben-rain", id: "rain" });
      const posts = parts.tile({ title: say("Fire posts ready"), panel: "vehicles", className: "ben-posts", id: "posts" });
      const warnings = parts.tile({ title: say("Warnings in force"), panel: "warnings", className: "ben-warnings", id: "warnings" });
      const top = part("div", { class: "ben-figures" }, Object.values(figures).map((each) => each.root));
      root.append(map.root, top, water.root, rain.root, posts.root, warnings.root);
      const numbers = Object.fromEntries(
        Object.entries({ water: "cm", rain: say("mm/h"), flood: say("open"), posts: "" }).map(([name, unit]) => {
          const made = parts.figure({ unit });
          (figures[name] || posts).body.append(made.root);
          return [name, made];
        }),
      );
      const drawn = context.map({
        slot,
        layers: ["regions", "warnings", "incidents", "gauges"],
        measure: "open",
        filters: shown,
        window: span,
      });

      function drawGauges(name, tile, figure, digits) {
        const panel = live.panel(name);
        if (!panel || !panel.gauges) return;
        const all = sorted(panel);
        parts.fill(tile.body, all, 2.45, (each) => gaugeRow(panel, each, digits));
        const silent = all.filter((each) => each.silent).length;
        const speaking = all.filter((each) => !each.silent && each.v !== undefined);
        const first = speaking.reduce((most, each) => (!most || each.v > most.v ? each : most), null);
        const state = first && stateOf(panel, first);
        figure.set(first ? format.number(first.v, digits) : format.MISSING, first
          ? [part("span", { class: `gauge-${state.severity}` }, [state.sign, " "]), state.word ? `${state.word} · ` : "", shortName(first.n), " ", parts.partOfHour(first)]
          : parts.noGauge(panel.gauges, silent));
        if (silent) tile.head.dataset.note = say("{n} silent", { n: number(silent) });
        else delete tile.head.dataset.note;
      }

      function drawWarnings() {
        const panel = live.panel("warnings");
        if (!panel || !panel.warnings) return;
        const inForce = (each) => !each.expires_at || live.seconds(each.expires_at) > live.now();
        const all = Object.values(panel.warnings).filter(inForce).sort(
          (a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity) || b.sent_at.localeCompare(a.sent_at),
        );
        parts.fill(warnings.body, all, 3.5, warningRow, say("No warning is in force for the city"));
      }

      function drawFloods() {
        const panel = live.panel("incidents");
        if (!panel) return;
        const { passes, windowWord } = window.lawang.wall.filters;
        const place = { ...context.filters, window: null, category: FLOOD };
        const floods = Object.values(panel.features).filter((each) =>
          passes(place, { category: each.c, kecamatan: each.k, source: each.o }),
        );
        const young = floods.filter((each) => passes({ window: span }, { at: each.t }));
        numbers.flood.set(number(floods.length), [
          say("with a point · {n} in the {window}", { n: number(young.length), window: windowWord(span) }),
        ]);
      }

      /** A post is ready with one vehicle that stands by; what was not heard of does not count. */
      function drawPosts() {
        const panel = live.panel("vehicles");
        if (!panel || !panel.posts) return;
        const all = Object.values(panel.posts);
        const sum = (name) => all.reduce((total, each) => total + each[name], 0);
        const old = sum("old");
        if (!all.length) {
          numbers.posts.set(format.MISSING, say("No vehicle names its post"));
          return;
        }
        numbers.posts.set(number(all.filter((each) => each.ready).length), [
          say("of {n}", { n: number(all.length) }),
          ` · ${say("{n} of {total} vehicles", { n: number(sum("ready")), total: number(sum("total")) })}`,
          old ? ` · ${say("{n} not heard of", { n: number(old) })}` : "",
        ]);
      }

      function draw() {
        drawGauges("water", water, numbers.water, 0);
        drawGauges("rain", rain, numbers.rain, 1);
        drawWarnings();
        drawFloods();
        drawPosts();
        live.refresh();
      }

      const looking = setInterval(draw, LOOK_MS);
      return {
        update(name, panel, before, patch) {
          if (name === "water") drawGauges("water", water, numbers.water, 0);
          if (name === "rain") drawGauges("rain", rain, numbers.rain, 1);
          if (name === "warnings") drawWarnings();
          if (name === "incidents") drawFloods();
          if (name === "vehicles") drawPosts();
          if (drawn) drawn.update(name, panel, before, patch);
        },
        unmount: () => clearInterval(looking),
      };
    },
  });
})();
