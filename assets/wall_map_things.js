/* What stands on the map: gauges, cameras, warnings, places of alerts, names.
 *
 * State is a shape and a word or a number first, a colour second. What is old fades and carries "?".
 */
"use strict";

(() => {
  const { live, map: own } = window.lawang;
  const { say, number, part } = live;
  /** By the severity of a mark that was passed, as the signs of alerts (live.js SIGNS). */
  const SIGNS = { critical: "diamond", major: "fire", minor: "other", info: "ring" };

  function toneOf(severity) {
    if (severity === "critical" || severity === "major") return own.tone("bad");
    if (severity === "minor") return own.tone("warn");
    return own.tone(severity ? "accent" : "text-2");
  }

  function isOld(iso, limit) {
    return !iso || live.now() - live.seconds(iso) > limit;
  }

  function pixel(place, item) {
    const [ux, uy] = own.unit(item, item.p);
    return [ux * place.size - place.left, uy * place.size - place.top];
  }

  function overlaps(box, others) {
    return others.some(
      (each) => box[0] < each[2] && box[2] > each[0] && box[1] < each[3] && box[3] > each[1],
    );
  }

  // --- gauges of water and of rain -------------------------------------------------------------------

  function gauges(name, calm, digits) {
    return (view) => {
      let boxes = [];
      let drawn = { marks: 0, values: 0, old: 0 };
      const sheet = own.sheet(view.board, name, 460, paint);

      function all() {
        const panel = view.panel(name);
        return panel ? Object.values(panel.gauges || {}) : [];
      }

      function severityOf(gauge) {
        const passed = (view.panel(name).marks || []).find((mark) => mark.rule === gauge.mark);
        return passed ? passed.severity : "";
      }

      function paint(context, place, width, height) {
        boxes = [];
        drawn = { marks: 0, values: 0, old: 0 };
        const unit = (view.panel(name) || {}).measure;
        const order = Object.keys(SIGNS);
        const rank = (gauge) => (order.indexOf(severityOf(gauge)) + order.length + 1) % (order.length + 1);
        const size = own.rem(1.375);
        const blocked = view.blocked();
        for (const gauge of all()
          .filter((each) => each.p)
          .sort((a, b) => rank(a) - rank(b) || (b.v || 0) - (a.v || 0))) {
          const [x, y] = pixel(place, gauge);
          if (x < 0 || y < 0 || x > width || y > height) continue;
          const severity = severityOf(gauge);
          const old = lawang.wall.parts.isSilent(gauge);
          const colour = toneOf(severity);
          const radius = own.rem(severity ? 0.85 : 0.6);
          context.globalAlpha = old ? 0.5 : 1;
          own.draw(context, SIGNS[severity] || calm, x, y, radius, {
            fill: severity ? colour : own.tone("map-gauge"),
            stroke: own.tone("map-edge-dark"),
            width: own.rem(0.12),
          });
          drawn.marks += 1;
          drawn.old += Number(old);
          const known = typeof gauge.v === "number";
          const text = `${known ? lawang.wall.format.number(gauge.v, digits) : "–"}${old ? " ?" : ""}${
            known && severity && unit ? ` ${unit.unit}` : ""
          }`;
          context.font = `700 ${size}px B612, sans-serif`;
          const wide = context.measureText(text).width;
          const left = x + radius + own.rem(0.3);
          const box = [x - radius, y - size * 0.6, left + wide, y + size * 0.6];
          if (box[2] < width && !overlaps(box, boxes) && !overlaps(box, blocked)) {
            own.write(context, text, left, y, { size, weight: 700, colour: own.tone("text"), align: "left" });
            boxes.push(box);
            drawn.values += 1;
          } else boxes.push([x - radius, y - radius, x + radius, y + radius]);
        }
        context.globalAlpha = 1;
        const labels = view.layer("labels");
        if (labels) labels.moved();
      }

      return {
        panels: [name],
        set: () => sheet.ask(),
        aged: () => sheet.ask(),
        moved: () => sheet.ask(),
        boxes: () => boxes,
        legend() {
          const panel = view.panel(name);
          if (!panel || !panel.measure) return "";
          const { name_id, name_en, unit } = panel.measure;
          // A gauge of rain counts on since midnight; what is drawn is of one hour.
          const shown = name === "rain" ? say("Rain of the last hour, mm") : `${live.config().lang === "id" ? name_id : name_en} (${unit})`;
          const used = [...new Set((panel.marks || []).map((mark) => mark.severity))];
          return part("div", { class: "map-keys-row map-shapes" }, [
            part("span", { class: "map-key" }, [
              own.sign(calm, "gauge"),
              shown,
            ]),
            ...used.map((severity) =>
              part("span", { class: "map-key" }, [
                own.sign(SIGNS[severity], `severity-${severity}`),
                live.severityWord(severity),
              ]),
            ),
          ]);
        },
        leftOut() {
          const panel = view.panel(name);
          return panel && panel.unlocated
            ? [say("{n} gauges without location", { n: number(panel.unlocated) })]
            : [];
        },
        remove: () => sheet.clear(),
        state: () => drawn,
      };
    };
  }

  own.layers.gauges = gauges("water", "gauge", 0);
  own.layers.rain = gauges("rain", "ring", 1);

  // --- cameras ------------------------------------------------------------------------------------------

  own.layers.cameras = (view) => {
    let drawn = { marks: 0, dead: 0 };
    const sheet = own.sheet(view.board, "cameras", 455, paint);

    function all() {
      const panel = view.panel("cameras");
      return panel ? Object.values(panel.cameras || {}) : [];
    }

    function paint(context, place) {
      drawn = { marks: 0, dead: 0 };
      for (const camera of all()) {
        if (!camera.p) continue;
        const [x, y] = pixel(place, camera);
        const dead = camera.s !== "aktif";
        const radius = own.rem(0.6);
        own.draw(context, "camera", x, y, radius, {
          fill: own.tone(dead ? "text-3" : "accent"),
          stroke: own.tone("map-edge-dark"),
          width: own.rem(0.1),
        });
        drawn.marks += 1;
        if (!dead) continue;
        drawn.dead += 1;
        context.beginPath();
        context.moveTo(x - radius, y + radius);
        context.lineTo(x + radius, y - radius);
        context.lineWidth = own.rem(0.18);
        context.strokeStyle = own.tone("bad");
        context.stroke();
      }
    }

    return {
      panels: ["cameras"],
      set: () => sheet.ask(),
      legend: () =>
        part("div", { class: "map-keys-row map-shapes" }, [
          part("span", { class: "map-key" }, [own.sign("camera", "accent"), say("camera")]),
          part("span", { class: "map-key" }, [
            own.sign("camera", "struck"),
            say("camera without picture"),
          ]),
        ]),
      leftOut() {
        const lost = all().filter((camera) => !camera.p).length;
        return lost ? [say("{n} cameras without location", { n: number(lost) })] : [];
      },
      remove: () => sheet.clear(),
      state: () => drawn,
    };
  };

  // --- warnings -------------------------------------------------------------------------------------------

  /** Lines the closer, the worse: [distance in rem, crossed, width in rem of the edge]. */
  const HATCHES = {
    extreme: [0.55, true, 0.3],
    severe: [0.55, false, 0.25],
    moderate: [0.95, false, 0.2],
    minor: [1.5, false, 0.15],
    unknown: [1.5, false, 0.1],
  };

  function warningTone(severity) {
    if (severity === "extreme" || severity === "severe") return own.tone("bad");
    return own.tone(severity === "moderate" ? "warn" : "accent");
  }

  function hatch(context, severity) {
    const [distance, crossed] = HATCHES[severity] || HATCHES.unknown;
    const ratio = window.devicePixelRatio || 1;
    const side = Math.max(4, Math.round(own.rem(distance) * ratio));
    const tile = document.createElement("canvas");
    tile.width = tile.height = side;
    const pen = tile.getContext("2d");
    pen.strokeStyle = warningTone(severity);
    pen.globalAlpha = 0.7;
    pen.lineWidth = Math.max(1, own.rem(0.09) * ratio);
    pen.beginPath();
    // Thrice, so that the corners of neighbouring tiles meet.
    for (const shift of [-side, 0, side]) {
      pen.moveTo(shift, side);
      pen.lineTo(shift + side, 0);
      if (crossed) {
        pen.moveTo(shift, 0);
        pen.lineTo(shift + side, side);
      }
    }
    pen.stroke();
    const pattern = context.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / ratio));
    return pattern;
  }

  own.layers.warnings = (view) => {
    let drawn = { areas: 0, placeless: 0 };
    const sheet = own.sheet(view.board, "warnings", 440, paint);

    function all() {
      const panel = view.panel("warnings");
      const order = Object.keys(HATCHES).reverse();
      return Object.values((panel && panel.warnings) || {})
        .filter((each) => !each.expires_at || live.seconds(each.expires_at) > live.now())
        .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
    }

    /** Where a warning is: its own polygon, else the kecamatan it names. */
    function shapesOf(warning) {
      if (warning.polygon) return [warning.polygon];
      return (warning.regions || [])
        .map((code) => view.board.regions[code])
        .filter(Boolean)
        .map((layer) => layer.feature.geometry);
    }

    function paint(context, place) {
      drawn = { areas: 0, placeless: 0 };
      for (const warning of all()) {
        const shapes = shapesOf(warning);
        if (!shapes.length) drawn.placeless += 1;
        const pattern = shapes.length && hatch(context, warning.severity);
        for (const shape of shapes) {
          const outline = new Path2D();
          const polygons = shape.type === "Polygon" ? [shape.coordinates] : shape.coordinates;
          for (const ring of polygons.flat()) {
            ring.forEach((point, index) => {
              const [ux, uy] = own.unitOf(point);
              outline[index ? "lineTo" : "moveTo"](
                ux * place.size - place.left,
                uy * place.size - place.top,
              );
            });
            outline.closePath();
          }
          context.fillStyle = pattern;
          context.fill(outline, "evenodd");
          context.lineWidth = own.rem((HATCHES[warning.severity] || HATCHES.unknown)[2]);
          context.strokeStyle = warningTone(warning.severity);
          context.stroke(outline);
          drawn.areas += 1;
        }
      }
    }

    function word(severity) {
      return {
        extreme: () => say("extreme"),
        severe: () => say("severe"),
        moderate: () => say("moderate"),
        minor: () => say("minor"),
        unknown: () => say("of unknown severity"),
      }[severity in HATCHES ? severity : "unknown"]();
    }

    return {
      panels: ["warnings"],
      set: () => sheet.ask(),
      aged: () => sheet.ask(),
      legend() {
        const used = [...new Set(all().map((each) => each.severity))].reverse();
        if (!used.length) return "";
        return part(
          "div",
          { class: "map-keys-row map-shapes" },
          used.map((severity) =>
            part("span", { class: "map-key" }, [
              part("i", { class: `map-hatch hatch-${severity}` }),
              say("warning, {severity}", { severity: word(severity) }),
            ]),
          ),
        );
      },
      leftOut() {
        const lost = all().filter((each) => !shapesOf(each).length).length;
        return lost ? [say("{n} warnings without an area", { n: number(lost) })] : [];
      },
      remove: () => sheet.clear(),
      state: () => drawn,
    };
  };

  // --- places of alerts ------------------------------------------------------------------------------------

  const MOST_PULSES = 12;
  const PULSE_MS = 14000;

  /** A ring on the map; the few there are stand as elements, so that moving costs no script. */
  function ring(board, [longitude, latitude], className, severity) {
    const icon = L.divIcon({ className, iconSize: [0, 0] });
    const mark = L.marker([latitude, longitude], { icon, interactive: false, keyboard: false, autoPanOnFocus: false });
    mark.addTo(board.map);
    if (severity) mark.getElement().dataset.severity = severity;
    return mark;
  }

  own.layers.alarms = (view) => {
    const shown = new Map();
    const passing = new Set();
    let lost = 0;

    function take(mark) {
      mark.remove();
      passing.delete(mark);
    }

    return {
      panels: ["alarms"],
      set(_name, panel) {
        const open = lawang.wall.worstFirst(panel);
        lost = open.filter((alarm) => !alarm.p).length;
        const wanted = new Map(
          open
            .filter((alarm) => alarm.p)
            .slice(0, MOST_PULSES)
            .map((alarm) => [`${alarm.id}|${alarm.severity}|${alarm.state}|${alarm.p}`, alarm]),
        );
        for (const [key, mark] of shown) {
          if (wanted.has(key)) continue;
          mark.remove();
          shown.delete(key);
        }
        for (const [key, alarm] of wanted)
          if (!shown.has(key))
            shown.set(key, ring(view.board, alarm.p, `map-alarm alarm-${alarm.state}`, alarm.severity));
      },
      pulse(place) {
        if (passing.size >= MOST_PULSES) return;
        const mark = ring(view.board, place, "map-pulse");
        passing.add(mark);
        setTimeout(() => take(mark), PULSE_MS);
      },
      leftOut: () => (lost ? [say("{n} alerts without a place", { n: number(lost) })] : []),
      remove() {
        for (const mark of [...shown.values(), ...passing]) mark.remove();
        shown.clear();
        passing.clear();
      },
      state: () => ({ places: shown.size, pulses: passing.size }),
    };
  };

  // --- names -----------------------------------------------------------------------------------------------

  const MOST_LANDMARKS = 5;
  /** A name may stand so many of its heights above or below its place. */
  const SHIFTS = [0, -0.9, 0.9, -1.8, 1.8];

  own.layers.labels = (view) => {
    let drawn = { regions: [], landmarks: [], size: 0 };
    const sheet = own.sheet(view.board, "labels", 445, paint);

    function paint(context, place, width, height) {
      const taken = view.blocked();
      for (const name of ["incidents", "gauges", "rain"]) {
        const layer = view.layer(name);
        if (layer) taken.push(...layer.boxes());
      }
      drawn = { regions: [], landmarks: [], size: own.rem(1.375) };
      const shades = view.layer("regions");
      const chosen = view.region();
      const regions = Object.entries(view.facts.regions).sort(
        ([a, one], [b, other]) => (b === chosen) - (a === chosen) || other.a - one.a,
      );
      for (const [code, region] of regions) {
        const text = shades ? `${region.n} ${shades.value(code)}`.trim() : region.n;
        const weight = code === chosen ? 700 : 400;
        if (put(context, place, text, region.p, taken, width, height, weight, "text"))
          drawn.regions.push(text);
      }
      for (const [name, ...at] of view.facts.landmarks) {
        if (drawn.landmarks.length >= MOST_LANDMARKS) break;
        if (put(context, place, `◦ ${name}`, at, taken, width, height, 400, "text-3", 0.6))
          drawn.landmarks.push(name);
      }
    }

    function put(context, place, text, at, taken, width, height, weight, tone, room = 0.1) {
      const size = drawn.size;
      const [ux, uy] = own.unitOf(at);
      const [x, middle] = [ux * place.size - place.left, uy * place.size - place.top];
      context.font = `${weight} ${size}px B612, sans-serif`;
      const half = context.measureText(text).width / 2 + own.rem(room);
      for (const shift of SHIFTS) {
        const y = middle + shift * size;
        const box = [x - half, y - size * (0.6 + room), x + half, y + size * (0.6 + room)];
        if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue;
        if (overlaps(box, taken)) continue;
        own.write(context, text, x, y, { size, weight, colour: own.tone(tone) });
        taken.push(box);
        return true;
      }
      return false;
    }

    return {
      panels: [],
      moved: () => sheet.ask(),
      select: () => sheet.ask(),
      remove: () => sheet.clear(),
      state: () => drawn,
    };
  };
})();
