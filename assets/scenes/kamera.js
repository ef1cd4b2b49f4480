/* Scene kamera: the city's cameras as a grid that turns its pages; a dead one is shown dead.
 *
 * Only the cameras of the page have players. When an alarm put the scene on the glass, the cameras
 * nearest to its place come first and the page stays.
 */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, camera } = window.lawang.wall;
  /** As in kamera.css. */
  const ROWS = 3;
  const PAGE_LEAST_S = 10;
  const PAGE_USUAL_S = 20;
  const DEAD = { mati: "dead", rusak: "broken" };

  /** Where each cell goes on when its next turn comes: a turn may be too short for all pages. */
  const left = new Map();

  function chosen(panel, filters, alarm) {
    const districts = filters.kecamatan || [];
    const all = Object.entries(panel.cameras || {})
      .map(([id, each]) => ({ id, ...each }))
      .filter((each) => !districts.length || districts.includes(each.k));
    all.sort((a, b) => a.n.localeCompare(b.n, "id", { numeric: true }) || (a.id < b.id ? -1 : 1));
    if (alarm) {
      const far = new Map(all.map((each) => [each.id, farFrom(alarm, each)]));
      all.sort((a, b) => far.get(a.id) - far.get(b.id));
    }
    return all;
  }

  /** How far a camera is from an alarm's place, in degrees: good enough to put them in order. */
  function farFrom(alarm, each) {
    if (alarm.p && each.p) {
      const shrink = Math.cos((alarm.p[1] * Math.PI) / 180);
      return Math.hypot((each.p[0] - alarm.p[0]) * shrink, each.p[1] - alarm.p[1]);
    }
    return alarm.region && alarm.region === each.k ? 500 : 1000;
  }

  function mount(root, ctx) {
    const filters = ctx.filters || {};
    const item = ctx.item || {};
    const began = live.now();
    const memory = JSON.stringify([ctx.cell, filters]);
    const urgent = item.why === "interrupt";
    const tile = parts.tile({ title: say("Cameras"), panel: "cameras", className: "cam" });
    const counts = part("p", { class: "cam-counts" });
    const paging = part("span", { class: "cam-page" });
    const grid = part("div", { class: "cam-grid" });
    tile.heading.after(counts, paging);
    tile.body.append(grid);
    root.append(tile.root);

    const leaving = new AbortController();
    const drawn = new Map();
    let cameras = [];
    let shows = null;
    let first = (!urgent && left.get(memory)) || 0;
    let page = -1;
    let size = 0;

    function alarm() {
      const panel = live.panel("alarms");
      return urgent ? (panel && panel.alarms && panel.alarms[item.cause]) || null : null;
    }

    /** How many pictures the grid of this cell holds; its style sheet says how many a row. */
    function capacity() {
      const columns = getComputedStyle(grid).gridTemplateColumns.split(" ");
      return ROWS * columns.filter((each) => parseFloat(each) > 0).length;
    }

    function pages() {
      return Math.max(1, Math.ceil(streaming().length / size));
    }

    function streaming() {
      return cameras.filter((each) => each.link);
    }

    /** As long as this turn has for each page, so that all are seen; never too short to be seen. */
    function share() {
      const until = item.until ? live.seconds(item.until) : NaN;
      if (!Number.isFinite(until) || until <= began) return PAGE_USUAL_S;
      return Math.max(PAGE_LEAST_S, (until - began) / pages());
    }

    function turn() {
      if (!size || !live.panel("cameras")) return;
      const steps = urgent ? 0 : Math.floor((live.now() - began) / share());
      const now = (first + steps) % pages();
      left.set(memory, (now + 1) % pages());
      if (now !== page) {
        page = now;
        draw();
      }
    }

    function draw() {
      const shown = streaming().slice(page * size, (page + 1) * size);
      const wanted = new Set(shown.map((each) => each.id));
      for (const [id, one] of drawn)
        if (!wanted.has(id)) {
          one.close();
          drawn.delete(id);
        }
      for (const each of shown) {
        if (!drawn.has(each.id)) drawn.set(each.id, picture(each));
        drawn.get(each.id).update(each);
      }
      const nothing = parts.nothing(say("No camera here has a stream"));
      const found = shown.map((each) => drawn.get(each.id).root);
      grid.replaceChildren(...(found.length ? found : [nothing]));
      count();
    }

    /** One camera of the page: its picture, its name, and how it is. */
    function picture(each) {
      const frame = part("div", { class: "cam-frame" });
      const state = part("span", { class: "cam-state" });
      const name = part("span", { class: "cam-name" });
      const element = part("figure", { class: "cam-one", "data-camera": each.id }, [
        frame,
        part("figcaption", {}, [name, state]),
      ]);
      let playing = null;
      let mode = "";

      function tellState(which, since, detail) {
        element.dataset.state = which;
        const isAge = which === "still";
        const [sign, word, note, kind] = camera.stateText(which, since, "");
        element.dataset.kind = kind;
        const shown = isAge
          ? part("span", { "data-ago": new Date(Number(detail) * 1000).toISOString() })
          : part("span", {}, note);
        state.replaceChildren(
          part("i", {}, sign),
          part("b", {}, which === "unplayable" ? camera.stateText(which, since, detail)[1] : word),
          shown,
        );
        if (isAge) live.refresh();
        count();
      }

      function stop() {
        if (playing) playing.close();
        playing = null;
      }

      return {
        root: element,
        close: stop,
        update(now) {
          name.textContent = now.n;
          const dead = DEAD[now.s];
          const kind = shows ? shows[now.id] || "nothing" : "";
          const wanted = dead ? `${dead} ${now.t}` : kind;
          if (wanted === mode) return;
          mode = wanted;
          stop();
          if (dead) tellState(dead, now.t ? live.seconds(now.t) : null);
          else if (!kind) tellState("loading");
          else if (kind === "nothing") tellState("unshown");
          else playing = camera.show(frame, now.id, kind, tellState);
        },
      };
    }

    function count() {
      const total = cameras.length;
      const listed = cameras.filter((each) => each.s === "aktif");
      const wrong = listed.filter((each) => camera.found(each.id)).length;
      const without = cameras.filter((each) => !each.link).length;
      const said = [
        say("{n} of {total} cameras live", {
          n: number(listed.length - wrong),
          total: number(total),
        }),
        say("{n} without a stream", { n: number(without) }),
      ];
      if (wrong) said.push(say("{n} listed as live show nothing new", { n: number(wrong) }));
      counts.textContent = total ? said.join(" · ") : "";
      const near = alarm();
      paging.textContent = near
        ? say("nearest to {place} first", { place: near.region_name || say("the alert") })
        : pages() > 1
          ? say("page {n} of {total}", { n: number(page + 1), total: number(pages()) })
          : "";
    }

    function measure() {
      const before = size;
      size = capacity();
      if (size && size !== before) {
        page = -1;
        turn();
      }
    }

    const watching = new ResizeObserver(measure);
    watching.observe(grid);
    const timer = setInterval(() => {
      camera.list().then(hear);
      turn();
    }, 1000);

    function hear(found) {
      if (leaving.signal.aborted || found === shows) return;
      shows = found;
      if (page >= 0) draw();
    }

    camera.list().then(hear);
    return {
      update(_name, panel) {
        cameras = chosen(panel, filters, alarm());
        if (!size) size = capacity();
        if (page >= pages()) page = -1;
        if (page >= 0) draw();
        turn();
      },
      unmount() {
        leaving.abort();
        clearInterval(timer);
        watching.disconnect();
        for (const one of drawn.values()) one.close();
        drawn.clear();
      },
    };
  }

  window.lawang.wall.scene("kamera", { panels: ["cameras"], mount });
})();
