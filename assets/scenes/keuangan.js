/* Scene keuangan: revenue and spending against what was due by now, own revenue by item, departments. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, format, charts } = window.lawang.wall;

  /** One large budget: what came, of what was due, where it leads by the end of the year. */
  function budget(root, entry, title) {
    const forecast = entry.forecast;
    parts.entitle(root, title, [entry]);
    const share = entry.target ? entry.value / entry.target : undefined;
    root.body.replaceChildren(
      part("div", { class: "fin-figures" }, [
        part("div", { class: "figure" }, [
          part("span", { class: "figure-label" }, say("so far, to {day}", { day: format.day(entry.last) })),
          part("b", { class: "figure-value" }, format.money(entry.value)),
          part("span", { class: "figure-note" }, [
            parts.light(entry.light),
            ` ${say("{share} of {due} due by now", { share: format.percent(share), due: format.money(entry.target) })}`,
          ]),
        ]),
        forecast
          ? part("div", { class: "figure small fin-forecast" }, [
              part("span", { class: "figure-label" }, say("forecast for 31 December")),
              part("b", { class: "figure-value" }, format.money(forecast.value)),
              part("span", { class: "figure-note" }, [
                say("{low} to {high} · target {target}", {
                  low: format.money(forecast.low),
                  high: format.money(forecast.high),
                  target: format.money(forecast.target),
                }),
              ]),
            ])
          : "",
      ]),
      part("div", { class: "fin-course" }, [
        charts.course(entry.course || [], { forecast, target: forecast && forecast.target, label: title }),
      ]),
    );
  }

  function item(entry) {
    return part("div", { class: "fin-item" }, [
      parts.light(entry.light, true),
      part("span", { class: "fin-name" }, parts.named(entry)),
      part("span", { class: "fin-value" }, format.money(entry.value)),
      charts.bullet(entry.target ? entry.value / entry.target / 1.25 : undefined, { due: 0.8 }),
      part("span", { class: "fin-share" }, format.percent(entry.target ? entry.value / entry.target : undefined, 0)),
    ]);
  }

  function department(row) {
    return part("div", { class: "fin-opd" }, [
      part("span", { class: "fin-name" }, row.name),
      charts.bullet(row.share, { due: row.due }),
      part("span", { class: "fin-share" }, format.percent(row.share, 0)),
    ]);
  }

  window.lawang.wall.scene("keuangan", {
    panels: ["finance"],
    mount(root) {
      const tiles = {
        revenue: parts.tile({ title: say("Revenue"), panel: "finance", className: "fin-revenue" }),
        spending: parts.tile({ title: say("Spending"), panel: "finance", className: "fin-spending" }),
        items: parts.tile({ title: say("Own revenue by item, against what was due"), panel: "finance", className: "fin-items" }),
        opds: parts.tile({ title: say("Budget spent by department, the lowest first"), panel: "finance", className: "fin-opds" }),
        cash: parts.tile({ title: say("Cash and running surplus"), panel: "finance", className: "fin-cash" }),
      };
      root.append(...Object.values(tiles).map((each) => each.root));
      let shown = null;

      function cash(panel) {
        const { cash: amount, silpa } = panel;
        tiles.cash.body.replaceChildren(
          part("div", { class: "figure small" }, [
            part("span", { class: "figure-label" }, say("cash of the city")),
            part("b", { class: "figure-value" }, format.money(amount && amount.value)),
            part(
              "span",
              { class: amount && amount.stale ? "figure-note worse" : "figure-note" },
              amount
                ? [amount.stale ? `◐ ${say("old")} · ` : "", live.clock(live.seconds(amount.observed_at))]
                : say("no data yet"),
            ),
          ]),
          part("div", { class: "figure small" }, [
            part("span", { class: "figure-label" }, say("running surplus (SiLPA)")),
            part("b", { class: "figure-value" }, format.money(silpa && silpa.value)),
            part("span", { class: "figure-note" }, silpa ? say("to {day}", { day: format.day(silpa.until) }) : say("no data yet")),
          ]),
        );
      }

      function draw() {
        const panel = shown;
        if (!panel || !panel.revenue) {
          for (const each of Object.values(tiles)) each.body.replaceChildren(parts.nothing(say("no data yet")));
          return;
        }
        budget(tiles.revenue, panel.revenue, say("Revenue"));
        budget(tiles.spending, panel.spending, say("Spending"));
        const items = [...(panel.items || [])].sort((a, b) => (b.value || 0) - (a.value || 0));
        parts.entitle(tiles.items, say("Own revenue by item, against what was due"), items);
        parts.fill(tiles.items.body, items, 2.5, item);
        const opds = panel.absorption || [];
        parts.fill(tiles.opds.body, opds, 2.4, department);
        tiles.opds.heading.textContent = `${say("Budget spent by department, the lowest first")} (${number(opds.length)})`;
        cash(panel);
      }

      const resized = new ResizeObserver(draw);
      resized.observe(root);
      return {
        update(_name, panel) {
          shown = panel;
          draw();
        },
        unmount: () => resized.disconnect(),
      };
    },
  });
})();
