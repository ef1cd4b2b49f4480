/* Vehicles that glide from one known place to the next.
 *
 * A vehicle is drawn on its way to the last place it told of and never beyond it: the way takes as
 * long as lay between its last two fixes, so that it arrives as the next one comes. What is old fades
 * and carries "?"; what would have to fly is put where it is.
 */
"use strict";

(() => {
  const { live, map: own } = window.lawang;
  const { say, number, part } = live;
  /**
   * A new picture when the fastest has moved half a pixel: more of them nobody could see. That is
   * one a second for a bus on a map of the city, twenty at most where the map is near.
   */
  const STEP_PX = 0.5;
  const FRAME_MS = 50;
  const SLOWEST_MS = 1000;
  const LONGEST_MS = 60000;
  /** Metres of the equator in a unit of the map, and the fastest that is drawn as a way. */
  const EARTH_M = 40075017;
  const FASTEST_M_S = 45;

  /** Shapes of kinds; the words are the pack's, so that only parts of them are known here. */
  const KINDS = [
    [/^bus|angkot|feeder|lrt|kereta/, "bus"],
    [/ambulan/, "medical"],
    [/damkar|pemadam|fire/, "fire"],
  ];

  function shapeOf(kind) {
    const found = KINDS.find(([pattern]) => pattern.test(kind));
    return found ? found[1] : "road";
  }

  /** The word of a kind, where a scene knows one; else the pack's own. */
  function word(kind) {
    const { kindWord } = window.lawang.wall;
    return kindWord ? kindWord(kind) : kind.replaceAll("_", " ");
  }

  own.layers.vehicles = (view) => {
    const things = new Map();
    const sprites = new Map();
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    let timer = null;
    let drawn = { marks: 0, gliding: 0, old: 0 };
    let stopped = false;
    const sheet = own.sheet(view.board, "vehicles", 470, paint);

    function take(panel) {
      const time = performance.now();
      for (const id of things.keys()) if (!panel.things[id]) things.delete(id);
      for (const [id, thing] of Object.entries(panel.things)) {
        if (!thing.p || !isWanted(thing.k)) {
          things.delete(id);
          continue;
        }
        const known = things.get(id);
        if (known && known.thing === thing) continue;
        const to = own.unit(thing, thing.p);
        const seen = live.seconds(thing.t);
        if (!known) {
          things.set(id, { thing, seen, from: to, to, start: time, span: 0, turn: heading(thing, 0) });
          continue;
        }
        const passed = (seen - known.seen) * 1000;
        known.thing = thing;
        if (to[0] === known.to[0] && to[1] === known.to[1]) {
          known.seen = seen;
          continue;
        }
        const from = placeOf(known, time);
        const distance = metres(from, to, thing.p[1]);
        const flies = passed <= 0 || distance / (passed / 1000) > FASTEST_M_S;
        known.turn = heading(thing, Math.atan2(to[0] - from[0], from[1] - to[1]));
        known.from = from;
        known.to = to;
        known.seen = seen;
        known.start = time;
        known.span = flies || still.matches ? 0 : Math.min(passed, LONGEST_MS);
      }
      run();
    }

    /** After so many seconds a vehicle that was not heard of counts as old, here as in the totals. */
    function oldAfter() {
      const panel = view.panel("vehicles");
      return panel ? panel.old_after_s : Infinity;
    }

    function isWanted(kind) {
      return !view.options.kinds || view.options.kinds.includes(kind);
    }

    function heading(thing, otherwise) {
      return typeof thing.h === "number" ? (thing.h * Math.PI) / 180 : otherwise;
    }

    function metres(a, b, latitude) {
      const degrees = Math.cos((latitude * Math.PI) / 180);
      return Math.hypot(a[0] - b[0], a[1] - b[1]) * EARTH_M * degrees;
    }

    function placeOf(known, time) {
      const share = known.span ? Math.min(1, (time - known.start) / known.span) : 1;
      return [
        known.from[0] + (known.to[0] - known.from[0]) * share,
        known.from[1] + (known.to[1] - known.from[1]) * share,
      ];
    }

    // --- drawing ---------------------------------------------------------------------------------

    /** One picture a kind and state: five hundred vehicles are five hundred copies of a few. */
    function sprite(shape, state, arrow) {
      const key = `${shape}|${state}|${arrow}|${own.rem(1)}`;
      if (sprites.has(key)) return sprites.get(key);
      const ratio = window.devicePixelRatio || 1;
      const side = Math.ceil(own.rem(2.4));
      const picture = document.createElement("canvas");
      picture.width = picture.height = side * ratio;
      const pen = picture.getContext("2d");
      pen.scale(ratio, ratio);
      const middle = side / 2;
      const tone = own.tone(state === "aktif" ? "map-vehicle" : "text-3");
      if (state === "old") pen.globalAlpha = 0.45;
      if (arrow)
        own.draw(pen, "arrow", middle, own.rem(0.35), own.rem(0.3), {
          fill: tone,
          stroke: own.tone("map-edge-dark"),
          width: own.rem(0.08),
        });
      const active = state === "aktif";
      own.draw(pen, shape, middle, middle, own.rem(0.5), {
        fill: active ? tone : own.tone("map-edge-dark"),
        stroke: active ? own.tone("map-edge-dark") : tone,
        width: own.rem(0.12),
      });
      const made = { picture, side };
      sprites.set(key, made);
      return made;
    }

    function paint(context, place, width, height) {
      const time = performance.now();
      const now = live.now();
      drawn = { marks: 0, gliding: 0, old: 0 };
      // Turning each by itself would cost a save and a restore each; a transform alone is enough.
      const base = context.getTransform();
      const ratio = base.a;
      const question = own.rem(1.375);
      const limit = oldAfter();
      for (const known of things.values()) {
        const moving = known.span && time - known.start < known.span;
        if (moving) drawn.gliding += 1;
        const [ux, uy] = placeOf(known, time);
        const x = ux * place.size - place.left;
        const y = uy * place.size - place.top;
        if (x < -40 || y < -40 || x > width + 40 || y > height + 40) continue;
        const old = now - known.seen > limit;
        const state = old ? "old" : known.thing.s;
        const shape = shapeOf(known.thing.k);
        const arrow = !old && state === "aktif" && (moving || typeof known.thing.h === "number");
        const { picture, side } = sprite(shape, state, arrow);
        drawn.marks += 1;
        if (arrow) {
          const cos = Math.cos(known.turn) * ratio;
          const sin = Math.sin(known.turn) * ratio;
          context.setTransform(cos, sin, -sin, cos, x * ratio, y * ratio);
          context.drawImage(picture, -side / 2, -side / 2, side, side);
          context.setTransform(base);
        } else context.drawImage(picture, x - side / 2, y - side / 2, side, side);
        if (old) {
          drawn.old += 1;
          own.write(context, "?", x + side * 0.35, y, {
            size: question,
            weight: 700,
            colour: own.tone("text-2"),
          });
        }
      }
    }

    /** Drawn again and again only while something is under way. */
    function run() {
      if (timer !== null || stopped) return;
      sheet.ask();
      timer = setTimeout(() => {
        timer = null;
        if (fastest()) run();
        else sheet.ask();
      }, pause());
    }

    function pause() {
      const speed = fastest() * 256 * 2 ** view.board.map.getZoom();
      return Math.min(SLOWEST_MS, Math.max(FRAME_MS, STEP_PX / (speed || 1e-9)));
    }

    /** Of what is under way, the way in units of the map a millisecond; 0 when nothing is. */
    function fastest() {
      const time = performance.now();
      let most = 0;
      for (const { span, start, from, to } of things.values())
        if (span && time - start < span)
          most = Math.max(most, Math.hypot(to[0] - from[0], to[1] - from[1]) / span);
      return most;
    }

    return {
      panels: ["vehicles"],
      set: (_name, panel) => take(panel),
      aged: () => sheet.ask(),
      moved: () => sheet.ask(),
      legend() {
        const panel = view.panel("vehicles");
        const kinds = Object.entries((panel && panel.kinds) || {}).filter(([kind]) => isWanted(kind));
        if (!kinds.length) return "";
        const shapes = {};
        for (const [kind, { total }] of kinds) {
          const entry = (shapes[shapeOf(kind)] = shapes[shapeOf(kind)] || { names: [], total: 0 });
          entry.names.push(word(kind));
          entry.total += total;
        }
        return part("div", { class: "map-keys-row map-shapes" }, [
          ...Object.entries(shapes).map(([shape, { names, total }]) =>
            part("span", { class: "map-key" }, [
              own.sign(shape, "vehicle"),
              `${names.length > 1 ? say("other") : names[0]} ${number(total)}`,
            ]),
          ),
          part("span", { class: "map-key" }, [
            own.sign("road", "standing"),
            say("hollow: not on duty"),
          ]),
          part("span", { class: "map-key" }, [
            part("b", { class: "map-old" }, "?"),
            say("not heard for {n} min", { n: number(oldAfter() / 60) }),
          ]),
        ]);
      },
      leftOut() {
        const panel = view.panel("vehicles");
        return panel && panel.unlocated
          ? [say("{n} vehicles without location", { n: number(panel.unlocated) })]
          : [];
      },
      remove() {
        stopped = true;
        clearTimeout(timer);
        things.clear();
        sprites.clear();
        sheet.clear();
      },
      state: () => ({ ...drawn, things: things.size, times: sheet.drawn }),
      /** Where a vehicle is drawn now, in the unit square of the map. */
      at: (id) => things.has(id) && placeOf(things.get(id), performance.now()),
    };
  };
})();
