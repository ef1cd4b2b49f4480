/* Reports on the map: shades of the kecamatan, marks and clusters of incidents, heat.
 *
 * A mark's shape is what a report is about, a ring is past due, its size is urgency. Clusters are
 * worked out on a grid of pixels: a wall's map stands still, so that the tree which lets one pan and
 * zoom would be built for nothing; ten thousand reports take a few milliseconds, and the same
 * reports give the same clusters in whatever order they came.
 */
"use strict";

(() => {
  const { live, map: own } = window.lawang;
  const { say, number, part } = live;
  const STEPS = 5;
  const NAMES_MS = 10000;
  const NEW_S = 900;
  const MOST_NEW = 6;

  // --- shades --------------------------------------------------------------------------------------

  function ramp() {
    return [1, 2, 3, 4, 5].map((each) => own.tone(`map-shade-${each}`));
  }

  /** Five equal steps whose width is 1, 2 or 5 times a power of ten; counts go by whole numbers. */
  function stepsOf(values, whole) {
    const most = Math.max(0, ...values);
    const wish = most / STEPS || (whole ? 1 : 0.1);
    const power = 10 ** Math.floor(Math.log10(wish));
    const factor = [1, 2, 5, 10].find((each) => each * power >= wish * 0.999999);
    const width = whole ? Math.max(1, Math.ceil(factor * power)) : factor * power;
    return ramp().map((colour, index) => ({
      colour,
      from: index * width + (whole && index ? 1 : 0),
      to: (index + 1) * width,
    }));
  }

  function measureWord(measure) {
    return {
      open: () => say("Open reports"),
      density: () => say("Open reports per km²"),
      rate: () => say("Open reports per 1,000 inhabitants"),
    }[measure]();
  }

  own.layers.regions = (view) => {
    const { board, facts, options } = view;
    let values = {};
    let steps = [];

    /** Which measures the pack can tell; without everybody's inhabitants there is no rate. */
    function measures() {
      const known = Object.values(facts.regions).every((region) => region.i);
      return known ? ["open", "density", "rate"] : ["open", "density"];
    }

    function measure() {
      if (options.measure === null) return null;
      return measures().includes(options.measure) ? options.measure : "open";
    }

    function counts() {
      if (!measure()) return {};
      const panel = view.panel("regions");
      if (!view.narrowed()) return panel ? panel.open : {};
      const incidents = view.panel("incidents");
      if (!incidents) return {};
      const found = Object.fromEntries(Object.keys(facts.regions).map((code) => [code, 0]));
      for (const feature of Object.values(incidents.features))
        if (feature.k in found && view.admits(feature)) found[feature.k] += 1;
      return found;
    }

    function shade() {
      const before = JSON.stringify([values, measure()]);
      const per = { open: () => 1, density: (region) => region.a, rate: (region) => region.i / 1000 };
      const divide = per[measure()];
      values = {};
      for (const [code, count] of Object.entries(counts()))
        if (facts.regions[code]) values[code] = count / divide(facts.regions[code]);
      if (steps.length && JSON.stringify([values, measure()]) === before) return;
      steps = stepsOf(Object.values(values), measure() === "open");
      for (const [code, layer] of Object.entries(board.regions)) layer.setStyle(look(code));
      const labels = view.layer("labels");
      if (labels) labels.moved();
    }

    function look(code) {
      const value = values[code];
      const step = steps.find((each) => value <= each.to) || steps[steps.length - 1];
      const chosen = view.region() === code;
      return {
        ...own.regionLook(),
        ...(chosen ? { color: own.tone("accent"), weight: own.rem(0.3), opacity: 1 } : {}),
        fillColor: value === undefined ? own.tone("map-land") : step.colour,
        // Pictures of the ground are to be seen through the shades.
        fillOpacity: value === undefined ? 0.5 : facts.tiles ? 0.5 : 0.85,
      };
    }

    function mark() {
      for (const [code, layer] of Object.entries(board.regions)) layer.setStyle(look(code));
      const chosen = board.regions[view.region()];
      if (chosen) chosen.bringToFront();
    }

    return {
      panels: ["regions", "incidents"],
      set: (name) => {
        if (name === "regions" || view.narrowed()) shade();
      },
      aged: shade,
      select: mark,
      moved() {},
      /** What a kecamatan's name is followed by on the map: shades alone say no number. */
      value(code) {
        const value = values[code];
        if (!measure()) return "";
        if (value === undefined) return "–";
        return own.number(measure() === "open" ? value : Number(value.toPrecision(2)));
      },
      legend() {
        if (!steps.length || !measure()) return "";
        const swatches = steps.map(({ colour, from, to }) =>
          part("span", { class: "map-swatch" }, [
            part("i", { style: `background: ${colour}` }),
            part("span", {}, from === to ? number(to) : `${number(from)}–${number(to)}`),
          ]),
        );
        return part("div", { class: "map-scale" }, [
          title(),
          part("div", { class: "map-keys-row" }, swatches),
        ]);
      },
      leftOut() {
        const panel = view.panel("regions");
        return panel && panel.unlocated && measure() && !view.narrowed()
          ? [say("{n} without location", { n: number(panel.unlocated) })]
          : [];
      },
      remove() {
        values = {};
        for (const layer of Object.values(board.regions))
          layer.setStyle({ ...own.regionLook(), fillColor: own.tone("map-land"), fillOpacity: 0.6 });
      },
      state: () => ({ measure: measure(), measures: measures(), values }),
    };

    /** What the shades say; touched, it takes the next thing that they can say. */
    function title() {
      const name = measureWord(measure());
      const { window } = options;
      const text = window ? `${name} · ${own.windowWord(window)}` : name;
      const button = part(
        "button",
        { type: "button", class: "map-keys-title map-measure", title: say("Shade by something else") },
        text,
      );
      button.addEventListener("click", () => {
        const all = measures();
        options.measure = all[(all.indexOf(measure()) + 1) % all.length];
        shade();
        view.describe();
      });
      return button;
    }
  };

  // --- marks and clusters ----------------------------------------------------------------------------

  /** Drawn larger, as lives may hang on them; of the first two a cluster carries the sign. */
  const LARGE = ["fire", "medical", "water"];
  const URGENT = ["fire", "medical"];

  /**
   * Points as [{x, y, members}] in pixels. Heavier squares of the grid take their neighbours in; what
   * has fewer than three members is left as it is.
   */
  function cluster(points, reach) {
    const squares = new Map();
    for (const point of points) {
      const key = `${Math.floor(point.x / reach)}:${Math.floor(point.y / reach)}`;
      const square = squares.get(key);
      if (square) square.push(point);
      else squares.set(key, [point]);
    }
    const heaps = [...squares.entries()].map(([key, members]) => ({ key, members, ...centre(members) }));
    heaps.sort((a, b) => b.members.length - a.members.length || (a.key < b.key ? -1 : 1));
    const byKey = new Map(heaps.map((heap) => [heap.key, heap]));
    const found = [];
    for (const heap of heaps) {
      if (heap.taken) continue;
      heap.taken = true;
      const [column, row] = heap.key.split(":").map(Number);
      const members = [...heap.members];
      for (let dx = -2; dx <= 2; dx += 1)
        for (let dy = -2; dy <= 2; dy += 1) {
          const other = byKey.get(`${column + dx}:${row + dy}`);
          if (!other || other.taken || Math.hypot(other.x - heap.x, other.y - heap.y) > reach * 1.3)
            continue;
          other.taken = true;
          members.push(...other.members);
        }
      if (members.length < 3)
        found.push(...members.map((each) => ({ x: each.x, y: each.y, members: [each] })));
      else found.push({ x: heap.x, y: heap.y, members });
    }
    return found;
  }

  function centre(members) {
    let x = 0;
    let y = 0;
    for (const each of members) {
      x += each.x;
      y += each.y;
    }
    return { x: x / members.length, y: y / members.length };
  }

  own.cluster = cluster;

  function pointsOf(view, place) {
    const panel = view.panel("incidents");
    const points = [];
    for (const feature of Object.values((panel && panel.features) || {})) {
      if (!view.admits(feature)) continue;
      const [ux, uy] = own.unit(feature, feature.p);
      points.push({
        x: ux * place.size - place.left,
        y: uy * place.size - place.top,
        late: feature.d,
        mark: view.facts.marks[feature.c] || "other",
      });
    }
    return points;
  }

  own.layers.incidents = (view) => {
    let drawn = { reports: 0, marks: 0, clusters: 0 };
    let present = "";
    let known = null;
    let boxes = [];
    let asking = 0;
    const sheet = own.sheet(view.board, "incidents", 450, paint);

    function paint(context, place, width, height) {
      const tones = {
        open: own.tone("map-open"),
        late: own.tone("warn"),
        ground: own.tone("map-cluster"),
        edge: own.tone("map-edge-dark"),
        text: own.tone("text"),
      };
      const points = pointsOf(view, place);
      const groups = cluster(points, own.rem(3));
      drawn = { reports: points.length, marks: 0, clusters: 0 };
      boxes = [];
      const found = [...new Set(points.map((each) => each.mark))].sort().join();
      if (found !== present) {
        present = found;
        view.describe();
      }
      groups.sort((a, b) => a.members.length - b.members.length);
      for (const group of groups) {
        if (group.members.length === 1) {
          drawn.marks += 1;
          single(context, group.members[0], tones);
          keep(group, 0.6);
        } else {
          drawn.clusters += 1;
          if (group.x > -200 && group.x < width + 200 && group.y > -200 && group.y < height + 200)
            several(context, group, tones);
          keep(group, sizeOf(group.members.length) + 0.15);
        }
      }
      // Names make room for marks, but need not be set anew for every report that comes.
      if (performance.now() - asking < NAMES_MS) return;
      asking = performance.now();
      const labels = view.layer("labels");
      if (labels) labels.moved();
    }

    /** What only comes back into the picture, as a report that was opened again, makes no ring. */
    function isNew(feature) {
      return live.now() - live.seconds(feature.t) < NEW_S;
    }

    function keep({ x, y }, size) {
      const reach = own.rem(size);
      boxes.push([x - reach, y - reach, x + reach, y + reach]);
    }

    function sizeOf(count) {
      return 1.25 + 0.16 * Math.log2(count / 3);
    }

    function single(context, { x, y, late, mark }, tones) {
      const radius = own.rem(LARGE.includes(mark) ? 0.75 : 0.52);
      if (late) {
        context.beginPath();
        context.arc(x, y, radius * 1.55, 0, 2 * Math.PI);
        context.lineWidth = own.rem(0.18);
        context.strokeStyle = tones.late;
        context.stroke();
      }
      own.draw(context, mark, x, y, radius, {
        fill: tones.open,
        stroke: tones.edge,
        width: own.rem(0.08),
      });
    }

    /** A count; the amber part of its ring is the share that is past due. */
    function several(context, { x, y, members }, tones) {
      const count = members.length;
      const radius = own.rem(sizeOf(count));
      const late = members.reduce((sum, each) => sum + each.late, 0) / count;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = tones.ground;
      context.fill();
      context.lineWidth = own.rem(0.12);
      context.strokeStyle = tones.open;
      context.stroke();
      if (late) {
        context.beginPath();
        context.arc(x, y, radius, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * late);
        context.lineWidth = own.rem(0.3);
        context.strokeStyle = tones.late;
        context.stroke();
      }
      context.font = `700 ${own.rem(1.375)}px B612, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillStyle = tones.text;
      context.fillText(own.number(count), x, y + own.rem(0.06));
      const urgent = URGENT.find((mark) => members.some((each) => each.mark === mark));
      if (urgent)
        own.draw(context, urgent, x + radius * 0.85, y - radius * 0.85, own.rem(0.5), {
          fill: tones.open,
          stroke: tones.edge,
          width: own.rem(0.12),
        });
    }

    return {
      panels: ["incidents"],
      set(_name, panel) {
        const alarms = view.layer("alarms");
        const news = Object.entries(panel.features).filter(
          ([id, feature]) => known && !(id in known) && view.admits(feature) && isNew(feature),
        );
        // A whole list that comes at once is no news of a place.
        if (alarms && news.length <= MOST_NEW) for (const [, { p }] of news) alarms.pulse(p);
        known = panel.features;
        sheet.ask();
      },
      aged: () => sheet.ask(),
      moved: () => (asking = 0),
      boxes: () => boxes,
      legend() {
        const words = {
          fire: say("Fire"),
          water: say("Flood, drains"),
          tree: say("Tree"),
          road: say("Road, traffic"),
          medical: say("Medical, rescue"),
          other: say("other"),
        };
        const keys = Object.keys(words).filter((mark) => present.split(",").includes(mark));
        return part("div", { class: "map-keys-row map-shapes" }, [
          ...keys.map((mark) =>
            part("span", { class: "map-key" }, [own.sign(mark, "open"), words[mark]]),
          ),
          part("span", { class: "map-key" }, [
            part("i", { class: "map-late" }),
            say("past due"),
          ]),
        ]);
      },
      leftOut() {
        const panel = view.panel("incidents");
        if (!panel) return [];
        let shown = 0;
        for (const feature of Object.values(panel.features)) if (view.admits(feature)) shown += 1;
        return [
          say("{shown} of {total} reports on the map", {
            shown: number(shown),
            total: number(panel.total),
          }),
          say("{n} without a point", { n: number(panel.unlocated) }),
        ];
      },
      remove: () => sheet.clear(),
      state: () => ({ ...drawn, sheets: 1, times: sheet.drawn }),
    };
  };

  // --- heat --------------------------------------------------------------------------------------------

  /** A quarter of the pixels: heat has no edges to be seen. */
  const COARSE = 4;

  own.layers.heat = (view) => {
    let warm = 0;
    const coarse = document.createElement("canvas");
    const sheet = own.sheet(view.board, "heat", 430, paint);

    function paint(context, place, width, height) {
      const points = pointsOf(view, place);
      warm = points.length;
      coarse.width = Math.max(1, Math.ceil(width / COARSE));
      coarse.height = Math.max(1, Math.ceil(height / COARSE));
      const drops = coarse.getContext("2d", { willReadFrequently: true });
      const radius = own.rem(3) / COARSE;
      const drop = dropOf(radius);
      // The warmest place is about as warm whatever the number of reports.
      drops.globalAlpha = Math.min(0.5, Math.max(0.02, 12 / Math.sqrt(points.length + 1) / 10));
      for (const { x, y } of points) drops.drawImage(drop, x / COARSE - radius, y / COARSE - radius);
      colour(drops);
      context.imageSmoothingEnabled = true;
      context.drawImage(coarse, 0, 0, width, height);
    }

    function dropOf(radius) {
      const drop = document.createElement("canvas");
      drop.width = drop.height = Math.ceil(radius * 2);
      const context = drop.getContext("2d");
      const shade = context.createRadialGradient(radius, radius, 0, radius, radius, radius);
      shade.addColorStop(0, "rgba(0,0,0,1)");
      shade.addColorStop(1, "rgba(0,0,0,0)");
      context.fillStyle = shade;
      context.fillRect(0, 0, drop.width, drop.height);
      return drop;
    }

    function colour(drops) {
      const picture = drops.getImageData(0, 0, coarse.width, coarse.height);
      const tones = scale();
      const { data } = picture;
      for (let at = 3; at < data.length; at += 4) {
        const heat = data[at];
        if (!heat) continue;
        data[at - 3] = tones[heat * 4];
        data[at - 2] = tones[heat * 4 + 1];
        data[at - 1] = tones[heat * 4 + 2];
        data[at] = Math.min(220, heat * 1.6);
      }
      drops.putImageData(picture, 0, 0);
    }

    let kept = null;
    function scale() {
      if (kept) return kept;
      const line = document.createElement("canvas");
      line.width = 256;
      line.height = 1;
      const context = line.getContext("2d");
      const shade = context.createLinearGradient(0, 0, 256, 0);
      for (const [at, name] of [
        [0, "map-heat-1"],
        [0.5, "map-heat-2"],
        [1, "map-heat-3"],
      ])
        shade.addColorStop(at, own.tone(name));
      context.fillStyle = shade;
      context.fillRect(0, 0, 256, 1);
      return (kept = context.getImageData(0, 0, 256, 1).data);
    }

    return {
      panels: ["incidents"],
      set: () => sheet.ask(),
      aged: () => sheet.ask(),
      legend: () =>
        part("div", { class: "map-keys-row" }, [
          part("span", { class: "map-key" }, [
            part("i", { class: "map-heat" }),
            say("few to many reports"),
          ]),
        ]),
      remove: () => sheet.clear(),
      state: () => ({ warm }),
    };
  };
})();
