/* The analysis page: the address is the state, and what is printed is dark on white.
 *
 * A control that moved writes the address, so that Back works and the page can be sent to somebody;
 * the server is asked for what the address says, and the controls follow it.
 */
"use strict";

window.dash_clientside = window.dash_clientside || {};

window.dash_clientside.analysis = {
  /** What the server has to know; called when the page is there and by every `ask`. */
  read() {
    window.lawang.analysis.follow();
    return { search: window.location.search, width: document.documentElement.clientWidth };
  },
};

window.lawang = window.lawang || {};

window.lawang.analysis = (() => {
  const here = window.location.pathname;
  let asked = 0;

  function page() {
    return document.querySelector(".analysis-page");
  }

  function ask() {
    asked += 1;
    window.dash_clientside.set_props("analysis-asked", { data: asked });
  }

  function go(name, value) {
    const query = new URLSearchParams(window.location.search);
    if (query.get(name) === value) return;
    query.set(name, value);
    window.history.pushState(null, "", `?${query}`);
    ask();
  }

  /** Controls and language links as the address says. */
  function follow() {
    if (!page()) return;
    const query = new URLSearchParams(window.location.search);
    const select = document.querySelector("#analysis-kpi");
    const kpi = query.get("kpi");
    if (kpi && [...select.options].some((each) => each.value === kpi)) select.value = kpi;
    for (const name of ["span", "days"]) {
      const buttons = [...document.querySelectorAll(`button[data-asks="${name}"]`)];
      const wanted = query.get(name);
      if (!buttons.some((each) => each.dataset.value === wanted)) continue;
      for (const each of buttons)
        each.setAttribute("aria-pressed", String(each.dataset.value === wanted));
    }
    for (const link of document.querySelectorAll(".language")) {
      query.set("lang", link.lang);
      link.href = `?${query}`;
    }
  }

  /** Leave the indicators whose name, or whose dimension's, has every word of the search. */
  function filter(text) {
    const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of document.querySelectorAll("#analysis-kpi optgroup")) {
      for (const option of group.children) {
        const name = `${group.label} ${option.textContent}`.toLowerCase();
        option.hidden = !parts.every((each) => name.includes(each));
      }
      group.hidden = [...group.children].every((each) => each.hidden);
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "analysis-kpi") go("kpi", event.target.value);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "analysis-search") filter(event.target.value);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "analysis-search" || event.key !== "Enter") return;
    const first = document.querySelector("#analysis-kpi option:not([hidden])");
    if (first) go("kpi", first.value);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[data-asks]");
    if (button) go(button.dataset.asks, button.dataset.value);
    if (event.target.closest && event.target.closest("[data-print]")) window.print();
  });
  window.addEventListener("popstate", (event) => {
    if (!page() || window.location.pathname !== here) return;
    // Dash would build the whole page anew for another address of the same page.
    event.stopImmediatePropagation();
    ask();
  });
  return { follow };
})();

(() => {
  const PAPER_PX = 680;
  const PAPER_HIGH_PX = 270;
  let kept = null;

  /** Every colour of a chart in the paper's place. The pairs are the page's, from layouts/theme.py. */
  function inked(value, colours) {
    if (typeof value === "string")
      return value.replace(/#[0-9a-f]{6}|\d+,\d+,\d+/gi, (found) => colours[found] || found);
    if (Array.isArray(value)) return value.map((each) => inked(each, colours));
    if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, inked(each, colours)]),
      );
    return value;
  }

  function graphs() {
    return [...document.querySelectorAll(".analysis-content .js-plotly-plot")];
  }

  function toPaper() {
    const place = document.querySelector("[data-print-colours]");
    if (kept || !place || !window.Plotly) return;
    const colours = JSON.parse(place.dataset.printColours);
    kept = graphs().map((graph) => ({ graph, data: graph.data, layout: graph.layout }));
    for (const { graph, data, layout } of kept)
      window.Plotly.react(graph, inked(data, colours), {
        ...inked(layout, colours),
        autosize: false,
        width: PAPER_PX,
        // Many rows need their height; what shows one course does with less.
        height: layout.height > 420 ? layout.height : Math.min(layout.height, PAPER_HIGH_PX),
      });
  }

  function toScreen() {
    for (const { graph, data, layout } of kept || [])
      window.Plotly.react(graph, data, { ...layout, autosize: true, width: undefined });
    kept = null;
  }

  const paper = window.matchMedia("print");
  window.addEventListener("beforeprint", toPaper);
  // It may come late, when the page is on its way to paper once more.
  window.addEventListener("afterprint", () => paper.matches || toScreen());
  paper.addEventListener("change", () => (paper.matches ? toPaper() : toScreen()));
})();
