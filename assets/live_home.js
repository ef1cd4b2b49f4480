/* The four numbers of the start page. */
"use strict";

(() => {
  const live = window.lawang.live;

  live.on("counters", (panel) => {
    for (const [name, entry] of Object.entries(panel))
      if (entry && typeof entry.value === "number")
        live.set(`counter-${name}`, { children: live.number(entry.value) });
  });
})();
