/* The map of a cell: put over a slot of a scene, with the layers that the scene asks for.
 *
 * The lines of the city are dash-leaflet's (layouts/map.py); everything that lives is drawn here on
 * canvas sheets, straight on Leaflet's map: setting component properties would draw all features
 * anew at each change. No citizen's text comes near a map.
 *
 * lawang.wall.map(cell, {slot, layers, measure, window, filters, bounds, legend}) gives a handle:
 *   slot     the element the map is put over
 *   layers   of: regions, incidents, vehicles, gauges, rain, cameras, warnings, heat; the places of
 *            alerts and names are always there
 *   measure  of regions: "open", "density" (per km²) or "rate" (per 1,000 inhabitants); null: none
 *   window   "1h", "6h", "24h", "7d": how far back reports go; none is all open ones
 *   filters  {kecamatan, opd, category}: lists; empty ones narrow nothing
 *   kinds    of vehicles: only these
 *   legend   which layers it tells of: true, false, or a list of them
 *   bounds   [[south, west], [north, east]], {kecamatan: code} or {at: [lon, lat], km}; without them
 *            the place of the alert that put the scene on the glass, else the whole city
 * and the handle {update(name, panel), select(code), pulse([lon, lat]), release(), state()}. Panels that the page hears are taken by themselves; `update` may give them as well.
 */
"use strict";

window.lawang = window.lawang || {};

window.lawang.map = Object.assign(window.lawang.map || {}, {
  /** Layers by name, each put here by its own file: (board) -> {panels, set?, paint?, ...}. */
  layers: {},

  /** A token of the page's styles, as a canvas needs it. */
  tone(name) {
    const known = this.tones[name];
    if (known) return known;
    const style = getComputedStyle(document.documentElement);
    return (this.tones[name] = style.getPropertyValue(`--${name}`).trim());
  },

  /** Sizes follow the screen: so many rem in pixels. */
  rem(size) {
    this.pixels =
      this.pixels || parseFloat(getComputedStyle(document.documentElement).fontSize);
    return size * this.pixels;
  },

  tones: {},
  pixels: 0,
});

(() => {
  const { live, map: own } = window.lawang;
  const { say, number, part } = live;
  const WINDOWS = { "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800 };
  const PADDING_REM = 1;
  const TILES_AGAIN_MS = 60000;

  const maps = new Map();
  const boards = new Map();
  const waiting = new Map();
  const times = new WeakMap();

  // --- reaching Leaflet's map ----------------------------------------------------------------

  /** dash-leaflet hands its map to style functions: the only way scripts get at it. */
  function meet(context) {
    const map = context && context.map;
    if (!map) return;
    const id = map.getContainer().id;
    if (maps.get(id) === map) return;
    maps.set(id, map);
    boards.delete(id);
    watchTiles(map);
    const open = waiting.get(id);
    if (open) requestAnimationFrame(open);
  }

  Object.assign(own, {
    baseRegion(_feature, context) {
      meet(context);
      return { ...own.regionLook(), fillColor: own.tone("map-land"), fillOpacity: 0.6 };
    },
    baseKelurahan: () => ({ color: own.tone("map-line"), weight: 0.6, opacity: 0.8, fill: false }),
    baseRoad: () => ({ color: own.tone("map-road"), weight: own.rem(0.1), opacity: 0.8, fill: false }),
    baseRiver: () => ({
      color: own.tone("map-river"),
      weight: own.rem(0.5),
      opacity: 1,
      lineCap: "round",
      fill: false,
    }),
    regionLook: () => ({ color: own.tone("map-edge"), weight: own.rem(0.09), opacity: 0.9 }),
  });

  /** Tiles that did not come leave the lines of the pack; they are asked for again later. */
  function watchTiles(map) {
    map.on("layeradd", ({ layer }) => {
      if (!(layer instanceof L.TileLayer)) return;
      let again = null;
      layer.on("tileerror", () => {
        if (again) return;
        again = setTimeout(() => {
          again = null;
          if (layer._map) layer.redraw();
        }, TILES_AGAIN_MS);
      });
    });
  }

  // --- a board: one Leaflet map and its sheets ------------------------------------------------

  function boardOf(id, holder) {
    const map = maps.get(id);
    if (!map || !map.getContainer().isConnected) return null;
    if (!boards.has(id)) boards.set(id, makeBoard(map, holder));
    return boards.get(id);
  }

  function makeBoard(map, holder) {
    const box = holder.querySelector(".wall-map");
    const facts = JSON.parse(box.dataset.mapFacts);
    const panel = part("div", { class: "map-panel" });
    box.append(panel);
    const regions = {};
    const collect = (layer) => {
      const properties = layer.feature && layer.feature.properties;
      if (properties && facts.regions[properties.code]) regions[properties.code] = layer;
    };
    map.eachLayer(collect);
    map.on("layeradd", ({ layer }) => collect(layer));
    return { map, box, holder, facts, panel, regions, sheets: {} };
  }

  // --- the handle ------------------------------------------------------------------------------

  function show(cell, options) {
    const id = `map-${cell.id || "whole"}`;
    const holder = cell.mapHolder;
    const state = {
      cell,
      board: null,
      shown: {},
      options: { layers: ["regions"], measure: "open", filters: {}, legend: true, ...options },
      panels: {},
      place: "",
      released: false,
      region: (window.lawang.wall.selected && window.lawang.wall.selected().kecamatan) || null,
    };
    state.options.filters = options.filters || {};
    if (state.options.measure !== null && state.options.filters.measure)
      state.options.measure = state.options.filters.measure;
    state.options.window = options.window || (options.filters && options.filters.window) || null;
    const observer = new ResizeObserver(() => put(state));
    observer.observe(options.slot);
    observer.observe(holder.parentElement);
    const begin = () => {
      if (state.released || state.board) return;
      state.board = boardOf(id, holder);
      if (!state.board) return;
      if (state.board.user) state.board.user.release();
      state.board.user = handle;
      attach(state);
    };
    const onSelect = (event) => handle.select((event.detail || {}).kecamatan || null);
    document.addEventListener("wall:select", onSelect);
    const timer = setInterval(() => pass(state), 1000);

    const handle = {
      update(name, panel) {
        if (!panel || state.panels[name] === panel) return;
        state.panels[name] = panel;
        for (const layer of Object.values(state.shown))
          if (layer.panels.includes(name) && layer.set) layer.set(name, panel);
        describe(state);
      },
      select(code) {
        if (state.region === code) return;
        state.region = code;
        for (const layer of Object.values(state.shown)) if (layer.select) layer.select(code);
      },
      pulse: (place) => state.shown.alarms && state.shown.alarms.pulse(place),
      release() {
        if (state.released) return;
        state.released = true;
        observer.disconnect();
        clearInterval(timer);
        document.removeEventListener("wall:select", onSelect);
        if (waiting.get(id) === begin) waiting.delete(id);
        open.delete(handle);
        detach(state);
      },
      /** Where a vehicle is drawn now, from west to east in the unit square of the map. */
      at: (id) => (state.shown.vehicles && state.shown.vehicles.at(id) || [])[0],
      /** What is drawn, for tests and for the heartbeat. */
      state: () =>
        Object.fromEntries(
          Object.entries(state.shown).map(([name, layer]) => [name, layer.state ? layer.state() : {}]),
        ),
    };
    state.handle = handle;
    waiting.set(id, begin);
    open.add(handle);
    begin();
    return handle;
  }

  function attach(state) {
    const { board, options } = state;
    state.click = (event) => choose(state, event.latlng);
    board.map.on("click", state.click);
    state.view = {
      board,
      facts: board.facts,
      options,
      /** Whether a report is among those that this map shows. */
      admits: (feature) => admits(state, feature),
      narrowed: () => narrowed(state),
      panel: (name) => state.panels[name],
      region: () => state.region,
      describe: () => describe(state),
      blocked: () => blocked(state),
      layer: (name) => state.shown[name],
    };
    for (const name of [...options.layers, "alarms", "labels"])
      if (own.layers[name] && !state.shown[name]) state.shown[name] = own.layers[name](state.view);
    put(state);
    for (const name of new Set(Object.values(state.shown).flatMap((layer) => layer.panels))) {
      const panel = state.panels[name] || live.panel(name);
      delete state.panels[name];
      state.handle.update(name, panel);
    }
    describe(state);
  }

  function detach(state) {
    const { board } = state;
    if (!board) return;
    board.map.off("click", state.click);
    for (const layer of Object.values(state.shown)) if (layer.remove) layer.remove();
    for (const sheet of Object.values(board.sheets)) sheet.clear();
    state.shown = {};
    state.panels = {};
    board.panel.replaceChildren();
    board.holder.style.visibility = "";
    if (board.user === state.handle) board.user = null;
  }

  // --- over the slot ---------------------------------------------------------------------------

  function put(state) {
    if (!state.board || state.released) return;
    const { holder, map, panel } = state.board;
    const around = holder.parentElement.getBoundingClientRect();
    const slot = state.options.slot.getBoundingClientRect();
    // The stage may be shifted or scaled as a whole: what counts is the place within the cell.
    const scale = holder.parentElement.offsetWidth / around.width || 1;
    const place = [slot.left - around.left, slot.top - around.top, slot.width, slot.height].map(
      (each) => Math.round(each * scale),
    );
    const written = place.join();
    if (written === state.place) return;
    state.place = written;
    if (place[2] < 2 || place[3] < 2) {
      holder.style.visibility = "";
      return;
    }
    const [left, top, width, height] = place;
    Object.assign(holder.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${width}px`,
      height: `${height}px`,
      visibility: "visible",
    });
    map.invalidateSize({ animate: false, pan: false });
    const edge = own.rem(PADDING_REM);
    state.panelHeight = panel.offsetHeight;
    // In a low and wide slot what is written stands beside the city, elsewhere beneath it.
    const beside = panel.offsetWidth < width / 2;
    map.fitBounds(boundsOf(state), {
      animate: false,
      paddingTopLeft: [beside ? edge + panel.offsetWidth : edge, edge],
      paddingBottomRight: [
        edge,
        beside ? edge : Math.min(height / 3, edge + panel.offsetHeight),
      ],
    });
    for (const layer of Object.values(state.shown)) if (layer.moved) layer.moved();
  }

  function boundsOf(state) {
    const wished = state.options.bounds || alarmPlace(state.cell);
    const only = (state.options.filters.kecamatan || [])[0];
    const code = (wished && wished.kecamatan) || (!wished && only);
    if (code && state.board.regions[code]) return state.board.regions[code].getBounds();
    if (wished && wished.at) {
      const [longitude, latitude] = wished.at;
      return L.latLng(latitude, longitude).toBounds((wished.km || 4) * 1000);
    }
    return Array.isArray(wished) ? wished : state.board.facts.bounds;
  }

  /** Where the alert is that interrupts this cell; undefined where none does or none knows. */
  function alarmPlace(cell) {
    const { why, cause } = cell.item || {};
    const alarms = (live.panel("alarms") || {}).alarms || {};
    const alarm = why === "interrupt" && alarms[cause];
    if (!alarm) return undefined;
    return alarm.p ? { at: alarm.p, km: 5 } : alarm.region ? { kecamatan: alarm.region } : undefined;
  }

  // --- what is shown ---------------------------------------------------------------------------

  function began(state) {
    const span = WINDOWS[state.options.window];
    return span ? live.now() - span : null;
  }

  function narrowed(state) {
    const { kecamatan = [], opd = [], category = [] } = state.options.filters;
    return Boolean(state.options.window || kecamatan.length || opd.length || category.length);
  }

  function admits(state, feature) {
    const { kecamatan = [], opd = [], category = [] } = state.options.filters;
    if (category.length && !category.includes(feature.c)) return false;
    if (kecamatan.length && !kecamatan.includes(feature.k)) return false;
    if (opd.length && !opd.includes(live.config().departments[feature.o])) return false;
    const from = began(state);
    return from === null || timeOf(feature) >= from;
  }

  /** When a report was made, in seconds; read once, as parts that did not change are shared. */
  function timeOf(feature) {
    let found = times.get(feature);
    if (found === undefined) times.set(feature, (found = live.seconds(feature.t)));
    return found;
  }

  /** Each second: the slot may have moved; each half minute reports leave the window. */
  function pass(state) {
    if (!state.board) return;
    put(state);
    const tile = state.options.slot.closest("[data-live-tile]");
    // Of what is mostly sound only a part is named; the picture holds.
    const holds = !tile || tile.dataset.partly === "1";
    state.board.box.dataset.health = holds ? "" : tile.dataset.health || "";
    state.seconds = (state.seconds || 0) + 1;
    for (const layer of Object.values(state.shown)) {
      if (layer.second) layer.second();
      if (state.seconds % 30 === 0 && layer.aged) layer.aged();
    }
    if (state.seconds % 30 === 0) describe(state);
  }

  function choose(state, latlng) {
    if (!latlng) return;
    const point = [latlng.lng, latlng.lat];
    const hit = Object.entries(state.board.regions).find(([, layer]) =>
      within(point, layer.feature.geometry),
    );
    const code = hit && hit[0] !== state.region ? hit[0] : null;
    window.lawang.wall.select(code ? { kecamatan: code } : {});
  }

  function within([x, y], geometry) {
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    return polygons.some((rings) => rings.filter((ring) => crosses(x, y, ring)).length % 2 === 1);
  }

  function crosses(x, y, ring) {
    let inside = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [xi, yi] = ring[i];
      const [xj, yj] = ring[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  }

  // --- beside it: chips, legend, what was left out, credits --------------------------------------

  function windowWord(window) {
    return {
      "1h": () => say("1 hour"),
      "6h": () => say("6 hours"),
      "24h": () => say("24 hours"),
      "7d": () => say("7 days"),
    }[window]();
  }

  function chips(state) {
    const uses = state.shown.incidents || state.shown.heat;
    if (!uses) return "";
    const chip = (window, word) => {
      const button = part(
        "button",
        {
          type: "button",
          class: "map-chip",
          "aria-pressed": String(state.options.window === window),
        },
        word,
      );
      button.addEventListener("click", () => {
        state.options.window = window;
        for (const layer of Object.values(state.shown)) if (layer.aged) layer.aged();
        describe(state);
      });
      return button;
    };
    return part("div", { class: "map-chips", role: "group", "aria-label": say("Time window") }, [
      ...Object.keys(WINDOWS).map((window) => chip(window, windowWord(window))),
      chip(null, say("all open")),
    ]);
  }

  function describe(state) {
    if (!state.board || state.released || state.describing) return;
    state.describing = true;
    // Several panels come in one frame of the stream: one new legend is enough.
    requestAnimationFrame(() => {
      state.describing = false;
      if (!state.released) write(state);
    });
  }

  function write(state) {
    const { board, options } = state;
    const layers = Object.values(state.shown);
    const left = layers.flatMap((layer) => (layer.leftOut ? layer.leftOut() : [])).filter(Boolean);
    const told = Array.isArray(options.legend)
      ? options.legend.map((name) => state.shown[name]).filter(Boolean)
      : options.legend
        ? layers
        : [];
    const rows = told
      .flatMap((layer) => (layer.legend ? [layer.legend()] : []))
      .filter((row) => row && row.textContent);
    const credits = [
      board.facts.approximate ? say("approximate boundaries") : "",
      ...board.facts.credits,
    ].filter(Boolean);
    const made = part("div", { class: "map-inner" }, [
      rows.length ? part("div", { class: "map-keys" }, rows) : "",
      part("div", { class: "map-foot" }, [
        chips(state),
        part("span", { class: "map-left-out" }, left.join(" · ")),
        part("span", { class: "map-credits" }, credits.join(" · ")),
      ]),
    ]);
    const text = made.textContent + options.window;
    if (text === state.written && board.panel.childElementCount) return;
    state.written = text;
    // A person at a desk keeps the chip that the keyboard stands on.
    const chosen = [...board.panel.querySelectorAll("button")].indexOf(document.activeElement);
    board.panel.replaceChildren(made);
    if (chosen >= 0) board.panel.querySelectorAll("button")[chosen].focus();
    board.box.setAttribute("role", "group");
    board.box.setAttribute("aria-label", [say("Map"), ...left].join(". "));
    // The city is fitted into what the panel leaves free.
    if (Math.abs(board.panel.offsetHeight - state.panelHeight) > own.rem(0.5)) state.place = "";
    put(state);
    if (state.shown.labels) state.shown.labels.moved();
  }

  /** Rectangles of the panel's parts in the map's own pixels: names are not drawn beneath them. */
  function blocked(state) {
    const around = state.board.box.getBoundingClientRect();
    const scale = state.board.box.offsetWidth / around.width || 1;
    return [...state.board.panel.querySelectorAll(".map-keys, .map-foot")].map((element) => {
      const r = element.getBoundingClientRect();
      return [
        (r.left - around.left) * scale,
        (r.top - around.top) * scale,
        (r.right - around.left) * scale,
        (r.bottom - around.top) * scale,
      ];
    });
  }

  // --- the stream --------------------------------------------------------------------------------

  const open = new Set();
  // Before anything measures again: the new size holds for all that is drawn after it.
  window.addEventListener("resize", () => (own.pixels = 0), true);
  for (const name of [
    ...["regions", "incidents", "vehicles", "water", "rain"],
    ...["cameras", "warnings", "alarms"],
  ])
    live.on(name, (panel) => {
      for (const handle of open) handle.update(name, panel);
    });

  window.lawang.wall = window.lawang.wall || {};
  window.lawang.wall.map = show;
  own.number = number;
  own.windowWord = windowWord;
})();
