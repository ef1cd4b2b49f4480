/* The maturity ladder: each department on its stage, with what keeps it there. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { part } = live;
  const EVERY_MS = 60000;
  const MOST_REASONS = 4;
  let started = false;

  function reasonPart(reason) {
    return part("li", {}, [
      reason.source_name ? part("span", { class: "source-name" }, reason.source_name) : "",
      part("span", {}, reason.text),
    ]);
  }

  /** Departments with one and the same reason about all of them stand together. */
  function grouped(entries) {
    const groups = new Map();
    for (const entry of entries) {
      const [first] = entry.reasons;
      const shared = entry.reasons.length === 1 && !first.source;
      const key = shared ? first.text : entry.id;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(entry);
    }
    return [...groups.values()].map(group);
  }

  function group(entries) {
    const { reasons } = entries[0];
    const shown = reasons.slice(0, MOST_REASONS).map(reasonPart);
    const more = reasons.length - MOST_REASONS;
    if (more > 0) shown.push(part("li", {}, `+ ${more}`));
    const names = entries.map((entry) =>
      part(
        "b",
        { class: "opd-name", "data-opd": entry.id, title: entry.full_name || undefined },
        entry.name,
      ),
    );
    return part("div", { class: "stage-department" }, [
      part("div", { class: "stage-names" }, names),
      part("ul", { class: "stage-reasons" }, shown),
    ]);
  }

  async function ask() {
    if (!document.getElementById("maturity") || document.hidden) return;
    try {
      const lang = live.config().lang;
      const answer = await fetch(`/api/v1/maturity?lang=${lang}`, { cache: "no-store" });
      if (!answer.ok) return;
      const ladder = await answer.json();
      for (const stage of ladder.stages) {
        const on = ladder.departments.filter((each) => each.stage === stage.id);
        live.fill(`stage-${stage.id}`, grouped(on));
        const place = document.getElementById(`stage-${stage.id}`);
        const count = place && place.parentElement.querySelector(".stage-count");
        if (count) count.textContent = String(on.length);
      }
    } catch (error) {
      // The page's own line says that the server is away; what is shown stays.
    }
  }

  live.on("sources", () => {
    if (started || !document.getElementById("maturity")) return;
    started = true;
    ask();
    setInterval(ask, EVERY_MS);
  });
})();
