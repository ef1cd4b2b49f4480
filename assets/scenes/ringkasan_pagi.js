/* Scene ringkasan pagi: yesterday in six numbers, and what got worse. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, part } = live;
  const { parts, format } = window.lawang.wall;

  function compare(figure) {
    const before = figure.compare;
    if (!before || before.value === undefined || before.value === null) return [say("nothing to compare with yet")];
    const change = figure.value - before.value;
    const sign = change > 0 ? "▲" : change < 0 ? "▼" : "=";
    return [
      part("b", {}, `${sign} ${format.figure(Math.abs(change), figure.unit)} `),
      say("from {value}, {what}", { value: format.figure(before.value, figure.unit), what: parts.named(before) }),
    ];
  }

  function figureTile(figure) {
    const tile = parts.tile({ title: parts.named(figure), panel: "morning", className: "pagi-figure", id: figure.id });
    const text = format.figure(figure.value, figure.unit);
    const made = parts.figure({ unit: parts.unitWord(figure), className: text.length > 7 ? "" : "large" });
    const isKnown = typeof figure.value === "number";
    made.set(text, isKnown ? compare(figure) : [say("not known for that day")]);
    if (figure.light) tile.body.append(parts.light(figure.light));
    tile.body.append(made.root);
    return tile.root;
  }

  function worseRow(change) {
    return part("div", { class: "pagi-worse-row" }, [
      part("span", { class: "worse" }, "▼"),
      part("span", { class: "pagi-name" }, parts.named(change)),
      part("span", { class: "pagi-change" }, [
        parts.light(change.light_before, true),
        part("b", {}, ` ${format.figure(change.before, change.unit)} → `),
        parts.light(change.light_after, true),
        part("b", {}, ` ${format.figure(change.after, change.unit)}`),
        parts.unitWord(change) ? ` ${parts.unitWord(change)}` : "",
      ]),
      part("span", { class: "pagi-owner" }, change.owner || ""),
    ]);
  }

  window.lawang.wall.scene("ringkasan_pagi", {
    panels: ["morning", "indicators"],
    mount(root) {
      const heading = part("h2", { class: "pagi-day" }, say("Yesterday"));
      const figures = part("div", { class: "pagi-figures" });
      const worse = parts.tile({ title: say("What got worse since the day before"), panel: "morning", className: "pagi-worse", id: "worse" });
      root.append(heading, figures, worse.root);
      return {
        update(name, panel) {
          if (name !== "morning") return;
          if (!panel.figures) {
            figures.replaceChildren(parts.nothing(say("no data yet")));
            return;
          }
          heading.textContent = `${say("Yesterday")} · ${format.day(panel.day, { weekday: "long", day: "numeric", month: "long", year: "numeric" })}`;
          figures.replaceChildren(...panel.figures.map(figureTile));
          const rows = panel.worse || [];
          worse.body.replaceChildren(
            ...(rows.length ? rows.map(worseRow) : [parts.nothing(say("No indicator got worse"))]),
          );
          live.refresh();
        },
      };
    },
  });
})();
