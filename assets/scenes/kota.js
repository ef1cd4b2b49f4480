/* Scene kota: the whole city at one look: its status and why, where reports are, rain and water, scores. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, format, notRenewed } = window.lawang.wall;

  function highest(panel) {
    return Object.values((panel && panel.gauges) || {})
      .filter((each) => each.v !== undefined && !parts.isSilent(each))
      .reduce((most, each) => (!most || each.v > most.v ? each : most), null);
  }

  function silent(panel) {
    return Object.values((panel && panel.gauges) || {}).filter(parts.isSilent).length;
  }

  function dimensionWord(id) {
    const known = {
      governance: () => say("Governance"),
      branding: () => say("Branding"),
      economy: () => say("Economy"),
      living: () => say("Living"),
      society: () => say("Society"),
      environment: () => say("Environment"),
      finance: () => say("Finance"),
      services: () => say("Services"),
    }[id];
    return known ? known() : id;
  }

  window.lawang.wall.scene("kota", {
    panels: ["status", "counters", "regions", "incidents", "indicators", "water", "rain", "vehicles"],
    mount(root, context) {
      const map = parts.tile({ title: say("Open reports by kecamatan"), panel: "incidents", className: "kota-map", id: "map" });
      const slot = part("div", { class: "map-slot" });
      map.body.append(slot);
      const standing = parts.tile({ title: say("Status of the city"), panel: "status", className: "kota-status", id: "status" });
      const scores = parts.tile({ title: say("Scores of 30 days"), panel: "indicators", className: "kota-scores", id: "scores" });
      const tiles = {
        open: parts.tile({ title: say("Open reports"), panel: "counters", className: "kota-figure", id: "open" }),
        past_due: parts.tile({ title: say("Past due"), panel: "counters", className: "kota-figure", id: "past_due" }),
        new_today: parts.tile({ title: say("New today"), panel: "counters", className: "kota-figure", id: "new_today" }),
        water: parts.tile({ title: say("Highest water"), panel: "water", className: "kota-figure", id: "water" }),
        rain: parts.tile({ title: say("Heaviest rain"), panel: "rain", className: "kota-figure", id: "rain" }),
        vehicles: parts.tile({ title: say("Vehicles in service"), panel: "vehicles", className: "kota-figure", id: "vehicles" }),
      };
      const figures = Object.fromEntries(
        Object.entries(tiles).map(([name, tile]) => {
          const made = parts.figure({ unit: { water: "cm", rain: say("mm/h") }[name] || "" });
          tile.body.append(made.root);
          return [name, made];
        }),
      );
      const grid = part("div", { class: "kota-figures" }, Object.values(tiles).map((each) => each.root));
      root.append(map.root, standing.root, grid, scores.root);
      const drawn = context.map({ slot, layers: ["regions", "incidents"], measure: "open", legend: ["regions"], filters: context.filters, window: context.filters.window });

      function drawStatus() {
        const panel = live.panel("status");
        if (!panel || !panel.level) {
          standing.body.replaceChildren(parts.nothing(say("no data yet")));
          return;
        }
        const lang = live.config().lang;
        const reasons = panel.by_hand
          ? [say("by hand: {who}, {reason}", { who: panel.by_hand.by, reason: panel.by_hand.reason })]
          : (panel.reasons || []).map((each) => each[`text_${lang}`]);
        standing.root.style.setProperty("--status", `var(--${panel.colour || `status-${panel.level}`})`);
        standing.body.replaceChildren(
          part("div", { class: "kota-level" }, [
            part("b", {}, String(panel.level)),
            part("span", {}, [
              part("strong", {}, panel[`word_${lang}`]),
              part("span", { class: "kota-since" }, panel.read_at ? [notRenewed(panel)] : [
                panel.since ? `${say("since {time}", { time: live.clock(live.seconds(panel.since)) })} · ` : "",
                panel.since ? part("span", { "data-ago": panel.since }) : "",
              ]),
            ]),
          ]),
          part("div", { class: "kota-why" }, [
            part("ul", {}, (reasons.length ? reasons : [say("Nothing calls for more")]).slice(0, 2).map((each) => part("li", {}, each))),
            reasons.length > 2 ? part("p", {}, say("+{n} more", { n: number(reasons.length - 2) })) : "",
            (panel.unknown || []).length
              ? part("p", { class: "worse" }, `◐ ${say("Not known: {what}; the status may be too low", { what: panel.unknown.map(unknownWord).join(", ") })}`)
              : "",
          ]),
          part("ol", { class: "kota-actions" }, (panel[`actions_${lang}`] || []).slice(0, 3).map((each) => part("li", {}, each))),
        );
      }

      function unknownWord(id) {
        const known = { alarms: () => say("alerts"), sources: () => say("the state of sources"), score: () => say("score") }[id];
        return known ? known() : id;
      }

      function drawCounters(panel) {
        for (const name of ["open", "past_due", "new_today"]) {
          const { value, last_week: before } = panel[name];
          figures[name].set(
            number(value),
            before === undefined ? say("no comparison yet") : say("{change} from last week", { change: format.signed(value - before) }),
          );
        }
      }

      function drawGauges(name, digits) {
        const panel = live.panel(name);
        if (!panel || !panel.gauges) return;
        const first = highest(panel);
        const quiet = silent(panel);
        const mark = first && (panel.marks || []).find((each) => each.rule === first.mark);
        tiles[name].root.dataset.mark = mark ? mark.severity : "none";
        figures[name].set(first ? format.number(first.v, digits) : format.MISSING, [
          first ? first.n.replace(/\s*\((tiruan|simulasi)\)/i, "").replace(/^Pos (duga air|hujan)\s+/i, "") : parts.noGauge(panel.gauges, quiet),
          mark ? part("span", { class: "worse" }, ` · ${live.SIGNS[mark.severity]} ${parts.named(mark)}`) : "",
          first && first.minutes ? ` · ${parts.partOfHour(first)}` : "",
          first && quiet ? ` · ✕ ${say("{n} silent", { n: number(quiet) })}` : "",
        ]);
      }

      function drawVehicles(panel) {
        const all = Object.values(panel.kinds || {});
        const sum = (key) => all.reduce((total, each) => total + (each[key] || 0), 0);
        figures.vehicles.set(all.length ? number(sum("active")) : format.MISSING, [
          say("of {n} known", { n: number(sum("total")) }),
          sum("old") ? ` · ◐ ${say("{n} not heard", { n: number(sum("old")) })}` : "",
        ]);
      }

      function drawScores(panel) {
        if (!panel.city) {
          scores.body.replaceChildren(parts.nothing(say("no data yet")));
          return;
        }
        const month = panel.city.month;
        scores.body.replaceChildren(
          part("div", { class: "kota-score" }, [
            part("b", { class: "figure-value" }, format.score(month.score)),
            part("span", {}, [
              parts.light(month.light),
              part("span", { class: "line" }, say("{n} of {total} indicators count", { n: number(month.counting), total: number(month.total) })),
            ]),
          ]),
          ...Object.entries(panel.dimensions || {}).map(([id, each]) =>
            part("div", { class: "kota-dimension" }, [
              parts.light(each.light, true),
              part("span", { class: "kota-name" }, dimensionWord(id)),
              part("b", {}, format.score(each.score)),
            ]),
          ),
        );
      }

      drawStatus();
      return {
        update(name, panel, before, patch) {
          if (name === "status") drawStatus();
          if (name === "counters") drawCounters(panel);
          if (name === "water") drawGauges("water", 0);
          if (name === "rain") drawGauges("rain", 1);
          if (name === "vehicles") drawVehicles(panel);
          if (name === "indicators") drawScores(panel);
          if (drawn) drawn.update(name, panel, before, patch);
        },
      };
    },
  });
})();
