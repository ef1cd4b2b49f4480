/* Scene transportasi: buses and other vehicles on the move, delays by route, notices of disruption. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, format } = window.lawang.wall;
  /** Later than this counts as late; buses are early or late by a minute all the time. */
  const LATE_S = 300;

  function kindWord(kind) {
    const known = {
      bus: () => say("City buses"),
      ambulans: () => say("Ambulances"),
      mobil_damkar: () => say("Fire engines"),
      truk_sampah: () => say("Refuse trucks"),
      truk: () => say("Lorries"),
      alat_berat: () => say("Machines"),
      pompa: () => say("Pumps"),
    }[kind];
    return known ? known() : kind.replaceAll("_", " ");
  }

  function routeRow(id, route) {
    const late = route.delay_s;
    const state = late === undefined ? "grey" : late > 2 * LATE_S ? "red" : late > LATE_S ? "amber" : "green";
    return part("div", { class: `route route-${state}` }, [
      parts.light(state, true),
      part("span", { class: "route-id" }, id),
      part("span", { class: "route-name" }, route.n && route.n !== id ? route.n : ""),
      part("span", { class: "route-buses" }, say("{moving} of {n} moving", { moving: number(route.moving || 0), n: number(route.buses || 0) })),
      part("span", { class: "route-delay" }, late === undefined ? format.MISSING : format.signed(Math.round(late / 60), 0, `\u202f${say("min")}`)),
    ]);
  }

  function noticeRow(notice) {
    return part("div", { class: "warning warning-moderate" }, [
      part("span", { class: "warning-sign" }, "▲"),
      part("div", { class: "warning-words" }, [
        part("span", { class: "warning-head" }, notice.headline),
        part("span", { class: "warning-note" }, [
          (notice.routes || []).join(", "),
          notice.until ? ` · ${say("until {time}", { time: live.clock(live.seconds(notice.until)) })}` : "",
        ]),
      ]),
    ]);
  }

  function kindRow(kind, entry) {
    return part("div", { class: "kind" }, [
      part("span", {}, kindWord(kind)),
      part("b", {}, number(entry.active)),
      part("span", { class: "kind-total" }, say("of {n}", { n: number(entry.total) })),
      part("span", { class: "kind-old" }, entry.old ? `◐ ${say("{n} not heard", { n: number(entry.old) })}` : ""),
    ]);
  }

  window.lawang.wall.scene("transportasi", {
    panels: ["vehicles", "transit", "warnings", "regions", "cameras"],
    mount(root, context) {
      const map = parts.tile({ title: say("Vehicles on the road"), panel: "vehicles", className: "tra-map", id: "map" });
      const slot = part("div", { class: "map-slot" });
      map.body.append(slot);
      const buses = parts.tile({ title: say("City buses on the road"), panel: "vehicles", className: "tra-figure", id: "buses" });
      const delay = parts.tile({ title: say("Routes over 5 min late"), panel: "transit", className: "tra-figure", id: "delays" });
      const routes = parts.tile({ title: say("Routes and their delay"), panel: "transit", className: "tra-routes", id: "routes" });
      const notices = parts.tile({ title: say("Disruptions"), panel: "transit", className: "tra-notices", id: "notices" });
      const kinds = parts.tile({ title: say("Vehicles by kind, in service"), panel: "vehicles", className: "tra-kinds", id: "kinds" });
      const top = part("div", { class: "tra-figures" }, [buses.root, delay.root]);
      root.append(map.root, top, routes.root, notices.root, kinds.root);
      const busFigure = parts.figure({});
      const lateFigure = parts.figure({});
      buses.body.append(busFigure.root);
      delay.body.append(lateFigure.root);
      const drawn = context.map({ slot, layers: ["regions", "warnings", "cameras", "vehicles"], filters: context.filters, measure: null });

      function drawTransit(panel) {
        const all = Object.entries(panel.routes || {}).sort(
          ([, a], [, b]) => (b.delay_s ?? -1e9) - (a.delay_s ?? -1e9),
        );
        const told = all.filter(([, each]) => each.delay_s !== undefined);
        const late = told.filter(([, each]) => each.delay_s > LATE_S);
        lateFigure.set(told.length ? number(late.length) : format.MISSING, say("of {n} routes that tell", { n: number(told.length) }));
        parts.fill(routes.body, all, 2.4, ([id, each]) => routeRow(id, each), say("No route tells anything now"));
        const said = Object.values(panel.notices || {});
        parts.fill(notices.body, said, 3.55, noticeRow, say("No disruption is announced"));
      }

      function drawVehicles(panel) {
        const entry = (panel.kinds || {}).bus;
        busFigure.set(entry ? number(entry.active) : format.MISSING, entry ? say("of {n} known", { n: number(entry.total) }) : "");
        const all = Object.entries(panel.kinds || {}).sort(([, a], [, b]) => b.total - a.total);
        parts.fill(kinds.body, all, 1.77, ([kind, each]) => kindRow(kind, each));
      }

      return {
        update(name, panel, before, patch) {
          if (name === "transit") drawTransit(panel);
          if (name === "vehicles") drawVehicles(panel);
          if (drawn) drawn.update(name, panel, before, patch);
        },
      };
    },
  });

  window.lawang.wall.kindWord = kindWord;
})();
