/* A made-up city in the page itself: reports and vehicles that change every second, the same in each
 * run. The wall hears them as frames of its stream; the stock page is given whole collections. */
"use strict";

window.bench = (() => {
  let seed = 2016;
  /** Numbers from 0 to 1 (Park and Miller's minimal standard generator). */
  function draw() {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  }

  const incidents = {};
  const vehicles = {};
  const categories = ["kebakaran", "banjir", "pohon", "jalan", "gawat_darurat", "lampu"];

  function somewhere() {
    // Denser in the middle, as cities are.
    const spread = () => (draw() + draw() + draw()) / 3 - 0.5;
    return [104.757 + spread() * 0.3, -2.975 + spread() * 0.2];
  }

  function report(at) {
    return {
      p: somewhere(),
      c: categories[Math.floor(draw() * categories.length)],
      s: "proses",
      d: Number(draw() < 0.2),
      t: new Date(at * 1000).toISOString(),
      o: "elapor",
    };
  }

  function vehicle(id, at) {
    const before = vehicles[id];
    const p = before
      ? before.p.map((each) => each + (draw() - 0.5) * 0.0002)
      : somewhere();
    return { k: "bus", n: id, p, h: Math.floor(draw() * 360), s: "aktif", t: new Date(at * 1000).toISOString() };
  }

  function fill(reports, things) {
    const at = Date.now() / 1000 - 3600;
    for (let n = 0; n < reports; n += 1) incidents[`i${n}`] = report(at);
    for (let n = 0; n < things; n += 1) vehicles[`v${n}`] = vehicle(`v${n}`, at + 3600);
  }

  /** A second of the city: every vehicle moves, some reports come in the place of others. */
  function pass(reports) {
    const at = Date.now() / 1000;
    const changed = { incidents: {}, vehicles: {} };
    const ids = Object.keys(incidents);
    for (let n = 0; n < reports; n += 1) {
      const id = ids[Math.floor(draw() * ids.length)];
      changed.incidents[id] = incidents[id] = report(at - 1000);
    }
    for (const id of Object.keys(vehicles)) changed.vehicles[id] = vehicles[id] = vehicle(id, at);
    return changed;
  }

  // --- the wall's stream -----------------------------------------------------------------------

  const sources = [];
  class Line {
    constructor() {
      this.readyState = 1;
      this.heard = {};
      sources.push(this);
    }
    addEventListener(name, act) {
      this.heard[name] = act;
    }
    close() {}
  }
  Line.CLOSED = 2;

  function tell(type, frame) {
    const build = window.lawang.live.config().build;
    const now = Date.now() / 1000;
    const data = JSON.stringify({ ...frame, build, now, board_heard_at: now, cache_lost_at: null });
    for (const source of sources) source.heard[type]({ type, data });
  }

  function snapshot() {
    tell("snapshot", {
      panels: {
        incidents: {
          sources: [],
          features: incidents,
          total: Object.keys(incidents).length,
          unlocated: 0,
        },
        vehicles: { sources: [], things: vehicles, kinds: {}, unlocated: 0 },
        regions: { sources: [], open: {}, unlocated: 0 },
      },
    });
  }

  function delta(changed) {
    tell("delta", {
      patches: [
        ["incidents", { features: changed.incidents }],
        ["vehicles", { things: changed.vehicles }],
      ],
    });
  }

  // --- the stock page ----------------------------------------------------------------------------

  function collection(found) {
    return {
      type: "FeatureCollection",
      features: Object.entries(found).map(([id, { p }]) => ({
        type: "Feature",
        properties: { id },
        geometry: { type: "Point", coordinates: p },
      })),
    };
  }

  function give() {
    dash_clientside.set_props("incidents", { data: collection(incidents) });
    dash_clientside.set_props("vehicles", { data: collection(vehicles) });
  }

  // --- watching ------------------------------------------------------------------------------------

  let gaps = [];
  let long = [];
  let last = 0;
  function frame(time) {
    if (last) gaps.push(time - last);
    last = time;
    requestAnimationFrame(frame);
  }
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) long.push(each.duration);
  }).observe({ type: "longtask" });

  function watch() {
    gaps = [];
    long = [];
    if (!last) requestAnimationFrame(frame);
  }

  return {
    Line,
    fill,
    pass,
    snapshot,
    delta,
    give,
    watch,
    watched: () => ({ gaps, long }),
    circle: (_feature, latlng) => window.L.circleMarker(latlng, { radius: 5 }),
  };
})();
