/* The foot's line about sources: how many are well, and the names of those that are not. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { part, say, number } = live;
  const BAD = ["down", "refused", "stale", "never", "late"];
  const EVERY_MS = 1000;
  const FEW = 3;
  let shown = "";

  /** Sources by how they stand now, by this screen's clock. */
  function groups() {
    const known = live.panel("sources");
    const found = {};
    for (const [id, source] of Object.entries((known && known.sources) || {}))
      (found[live.health(source)] = found[live.health(source)] || []).push({ id, ...source });
    return found;
  }

  function draw() {
    const element = document.getElementById("source-line");
    if (!element) return;
    const found = groups();
    const total = Object.values(found).flat().length;
    // A late one is often back before anybody has read that it is late: many are only counted.
    const few = (found.late || []).length <= FEW;
    const named = BAD.filter((state) => found[state] && (state !== "late" || few));
    const key = JSON.stringify([total, BAD.map((state) => (found[state] || []).map((each) => each.name))]);
    if (key === shown) return;
    shown = key;
    if (!total) {
      element.replaceChildren(part("span", {}, say("no data yet")));
      return;
    }
    element.replaceChildren(
      part("span", {}, [
        part("b", {}, number((found.fresh || []).length + (found.late || []).length)),
        ` ${say("of {n} sources well", { n: number(total) })}`,
        found.late && !few ? ` · ${number(found.late.length)}\u00a0${live.healthWord("late")}` : "",
      ]),
      ...named.map((state) =>
        part("span", { class: "source-trouble", "data-health": state }, [
          part("span", { class: "lamp" }),
          part("b", {}, `${number(found[state].length)}\u00a0${live.healthWord(state)}`),
        ]),
      ),
      part(
        "span",
        { class: "source-names" },
        named.flatMap((state) => found[state].map((each) => each.name)).join(", "),
      ),
    );
  }

  live.started(() => {
    if (!document.getElementById("source-line")) return;
    live.on("sources", draw);
    setInterval(draw, EVERY_MS);
  });
})();
