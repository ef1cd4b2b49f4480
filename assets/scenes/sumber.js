/* Scene sumber: how every department's source is heard, those in trouble first. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts } = window.lawang.wall;
  const WORST_FIRST = ["down", "refused", "never", "stale", "late", "fresh"];
  const LOOK_MS = 3000;
  /** The least a row needs, in rem: a line of the smallest text and its air. */
  const ROW_REM = 2.9;
  const COLUMN_REM = 28;

  function chip(id, source) {
    const notes = [source.opd];
    if (source.simulated) notes.push(say("simulated"));
    if (source.quarantined) notes.push(say("{n} in quarantine", { n: number(source.quarantined) }));
    return part(
      "div",
      { class: "source-chip", "data-source": id, "data-health": "never" },
      [
        part("span", { class: "lamp" }),
        part("span", { class: "chip-names" }, [
          part("span", { class: "chip-name" }, source.name),
          part("span", { class: "chip-opd" }, notes.join(" · ")),
        ]),
        part("span", { class: "chip-state" }, [
          part("span", { class: "chip-health", "data-source-health": "" }),
          part("span", { class: "chip-age", "data-source-age": "" }),
        ]),
      ],
    );
  }

  window.lawang.wall.scene("sumber", {
    panels: ["sources"],
    mount(root) {
      const totals = part("div", { class: "sum-totals" });
      const grid = part("div", { class: "sum-grid source-strip" });
      root.append(totals, grid);
      let order = "";

      function sorted() {
        const known = (live.panel("sources") || { sources: {} }).sources;
        return Object.entries(known)
          .map(([id, source]) => ({ id, source, health: live.health(source) }))
          .sort(
            (a, b) =>
              WORST_FIRST.indexOf(a.health) - WORST_FIRST.indexOf(b.health) ||
              a.source.name.localeCompare(b.source.name),
          );
      }

      function drawTotals(all) {
        const counts = Object.fromEntries(WORST_FIRST.map((state) => [state, 0]));
        for (const each of all) counts[each.health] += 1;
        const held = all.reduce((sum, each) => sum + (each.source.quarantined || 0), 0);
        totals.replaceChildren(
          ...WORST_FIRST.filter((state) => counts[state] || state === "fresh")
            .reverse()
            .map((state) =>
              part("div", { class: "sum-total", "data-health": state }, [
                part("span", { class: "lamp" }),
                part("b", { class: "figure-value" }, number(counts[state])),
                part("span", {}, live.healthWord(state)),
              ]),
            ),
          part("div", { class: "sum-note" }, [
            part("span", {}, say("of {n} sources", { n: number(all.length) })),
            part("span", {}, say("{n} records in quarantine", { n: number(held) })),
          ]),
        );
      }

      /** What fits: those in trouble first, and how many sound ones are not shown. */
      function draw() {
        const all = sorted();
        if (!all.length) {
          grid.replaceChildren(parts.nothing(say("no data yet")));
          return;
        }
        const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
        const columns = Math.max(1, Math.floor(grid.clientWidth / (COLUMN_REM * rem)));
        const most = columns * Math.max(1, Math.floor(grid.clientHeight / (ROW_REM * rem)));
        const shown = all.length > most ? all.slice(0, most - 1) : all;
        const rows = Math.ceil(Math.min(all.length, most) / columns);
        const key = [rows, columns, ...shown.map((each) => each.id + each.health + (each.source.quarantined || ""))].join();
        drawTotals(all);
        if (key === order) return;
        order = key;
        grid.style.gridTemplate = `repeat(${rows}, minmax(0, 1fr)) / repeat(${columns}, minmax(0, 1fr))`;
        grid.classList.toggle("roomy", grid.clientHeight / rows > 4.4 * rem);
        grid.replaceChildren(...shown.map(({ id, source }) => chip(id, source)));
        if (all.length > shown.length)
          grid.append(
            part("div", { class: "source-chip rows-more" }, say("+{n} more", { n: number(all.length - shown.length) })),
          );
        live.refresh();
      }

      const looking = setInterval(draw, LOOK_MS);
      const resized = new ResizeObserver(draw);
      resized.observe(grid);
      return {
        update: draw,
        unmount() {
          clearInterval(looking);
          resized.disconnect();
        },
      };
    },
  });
})();
