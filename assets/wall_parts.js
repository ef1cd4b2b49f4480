/* The parts that scenes are made of: tiles with their age, large figures, rows, lights, formats. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { part, say } = live;
  const MISSING = "–";

  // --- formats: as layouts/formats.py writes them --------------------------------------------

  function locale() {
    return live.config() && live.config().lang === "en" ? "en-GB" : "id-ID";
  }

  function decimal(value, least, most) {
    return new Intl.NumberFormat(locale(), {
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    }).format(value);
  }

  function known(value) {
    return typeof value === "number" && Number.isFinite(value);
  }

  function number(value, digits = 0) {
    return known(value) ? decimal(value, 0, digits) : MISSING;
  }

  function percent(share, digits = 1) {
    return known(share) ? `${decimal(share * 100, 0, digits)}%` : MISSING;
  }

  const STEPS = [
    [1e12, { id: "\u202fT", en: "T" }],
    [1e9, { id: "\u202fM", en: "B" }],
    [1e6, { id: "\u202fjt", en: "M" }],
    [1e3, { id: "\u202frb", en: "K" }],
  ];

  /** 1,23 T; 263,2 M; 12,3 rb. */
  function compact(value) {
    if (!known(value)) return MISSING;
    const size = Math.abs(value);
    const [unit, words] = STEPS.find(([each]) => size >= each) || [1, { id: "", en: "" }];
    const shown = value / unit;
    const digits = Math.abs(shown) < 10 ? 2 : 1;
    return decimal(shown, 0, unit === 1 ? 0 : digits) + words[live.config().lang];
  }

  function money(rupiah) {
    if (!known(rupiah)) return MISSING;
    return `${rupiah < 0 ? "-" : ""}Rp${compact(Math.abs(rupiah))}`;
  }

  /** A value in an indicator's unit; `%` means that values are shares from 0 to 1. */
  function figureText(value, unit) {
    if (!known(value)) return MISSING;
    if (unit === "%") return percent(value);
    if (unit && unit.startsWith("Rp")) {
      const per = unit.slice(2);
      return per ? `Rp${number(Math.round(value))}${per}` : money(value);
    }
    const size = Math.abs(value);
    return size >= 100000 ? compact(value) : number(value, size < 1 ? 2 : size < 100 ? 1 : 0);
  }

  /** Always two decimals, cut off: 0,999 has not reached the 1,00 that makes a light green. */
  function score(value) {
    return known(value) ? decimal(Math.floor(value * 100 + 1e-6) / 100, 2, 2) : MISSING;
  }

  /** +0,03; −0,12; ±0. */
  function signed(value, digits = 0, suffix = "") {
    if (!known(value)) return MISSING;
    const size = decimal(Math.abs(value), 0, digits);
    if (Number(Math.abs(value).toFixed(digits)) === 0) return `±0${suffix}`;
    return `${value > 0 ? "+" : "−"}${size}${suffix}`;
  }

  function minutes(seconds) {
    return known(seconds) ? say("{n} min", { n: number(seconds / 60) }) : MISSING;
  }

  function day(iso, options = { day: "numeric", month: "short" }) {
    return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options }).format(new Date(iso));
  }

  // --- parts ---------------------------------------------------------------------------------

  /** A framed part of a scene with the age of its panel. `body` is where to draw. */
  function tile({ title, panel, className = "", id }) {
    const heading = part("h2", { class: "tile-title" }, title);
    const age = part("span", { class: "age", "data-live-age": panel, "data-health": "never" });
    const head = part("div", { class: "tile-head" }, [heading, age]);
    const body = part("div", { class: "tile-body" });
    const root = part(
      "section",
      {
        class: `tile ${className}`.trim(),
        "data-live-tile": panel,
        "data-health": "never",
        "data-tile": id,
      },
      [head, body],
    );
    return { root, head, heading, age, body };
  }

  /** A tile's title, and that the targets behind its lights were published nowhere, if so. */
  function entitle(tile, title, entries) {
    const simulated = entries.filter((each) => each.simulated_target).length;
    const word = simulated === entries.length ? say("simulated targets") : say("some targets simulated");
    tile.heading.textContent = simulated ? `${title} · ${word}` : title;
  }

  /** One large number. `set(value, note)` changes it; texts only. */
  function figure({ label, unit = "", note = "", className = "" }) {
    const value = part("b", { class: "figure-value" }, MISSING);
    const caption = part("span", { class: "figure-note" }, note);
    const root = part("div", { class: `figure ${className}`.trim() }, [
      label ? part("span", { class: "figure-label" }, label) : "",
      part("span", { class: "figure-line" }, [
        value,
        unit ? part("span", { class: "figure-unit" }, unit) : "",
      ]),
      caption,
    ]);
    return {
      root,
      value,
      set(text, said) {
        setNumber(value, text);
        if (said !== undefined) caption.replaceChildren(...[].concat(said));
      },
    };
  }

  /** A number changes with a short, quiet transition, once it has been seen. */
  function setNumber(element, text) {
    const before = element.textContent;
    if (before === text) return;
    element.textContent = text;
    if (before && before !== MISSING && !lawang.wall.reduced())
      element.animate([{ opacity: 0.25 }, { opacity: 1 }], { duration: 350, easing: "ease-out" });
  }

  /** At most `most` rows of a list, and how many more there are. */
  function rows(element, list, most, draw, className = "rows-more") {
    const shown = list.slice(0, most).map(draw);
    if (list.length > most)
      shown.push(
        part("div", { class: className }, say("+{n} more", { n: number(list.length - most) })),
      );
    element.replaceChildren(...shown);
  }

  /** How many rows of so many rem an element has room for, at least one. */
  function fit(element, rem) {
    return Math.max(1, Math.floor(space(element) / rem));
  }

  /** The height within an element's padding, in rem. */
  function space(element) {
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const style = getComputedStyle(element);
    const room = element.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    return room / size;
  }

  /** Lists drawn by `fill`. A tile whose age takes another line leaves its list less room. */
  const refills = new WeakMap();
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const kept = refills.get(target);
      if (!target.isConnected) resized.unobserve(target);
      // What a scene has put there since is not a list of ours.
      else if (kept && kept.height !== target.clientHeight && kept.first === target.firstChild) {
        kept.again();
        live.refresh();
      }
    }
  });

  /** What the line about the rest of a list takes, in rem. */
  const MORE_REM = 1.75;

  /** As many rows of a list as its element has room for, beside the line about the rest; an empty
   * one says in words that there is nothing. */
  function fill(element, list, rem, draw, none = say("no data yet")) {
    if (!list.length) {
      element.replaceChildren(nothing(none));
      return;
    }
    if (!refills.has(element)) resized.observe(element);
    const height = element.clientHeight;
    const room = fit(element, rem);
    const beside = list.length > room ? Math.floor(space(element) / rem - MORE_REM / rem) : room;
    rows(element, list, Math.max(1, beside), draw);
    const again = () => fill(element, list, rem, draw);
    refills.set(element, { height, again, first: element.firstChild });
  }

  /** Why no gauge tells a value: they are silent, or have not spoken for long enough. */
  function noGauge(gauges, silent) {
    const all = Object.keys(gauges || {}).length;
    return silent >= all ? say("all gauges are silent") : say("not enough data");
  }

  function lamp(health) {
    return part("span", { class: "state-lamp", "data-health": health }, part("span", { class: "lamp" }));
  }

  const LIGHTS = { green: "●", amber: "◆", red: "▲", grey: "○" };

  function lightWord(light) {
    return {
      green: () => say("On target"),
      amber: () => say("Needs attention"),
      red: () => say("Behind"),
      grey: () => say("Not enough data"),
    }[light in LIGHTS ? light : "grey"]();
  }

  /** A light of the indicators: shape, colour, and its word unless `bare`. */
  function light(name, bare = false) {
    const which = name in LIGHTS ? name : "grey";
    return part("span", { class: `light light-${which}`, title: lightWord(which) }, [
      part("i", {}, LIGHTS[which]),
      bare ? "" : part("span", {}, lightWord(which)),
    ]);
  }

  /** What to say where a scene has nothing to show. */
  function nothing(text) {
    return part("p", { class: "nothing" }, text);
  }

  function regionName(code) {
    return (code && live.config().regions[code]) || code || say("without location");
  }

  function categoryName(id) {
    const names = (live.config().categories || {})[id];
    return names ? names[live.config().lang] : say("unknown category");
  }

  /** The name of an entry in the page's language. */
  function named(entry) {
    return entry[`name_${live.config().lang}`] || entry.name || "";
  }

  /** The word for an entry's unit in the page's language; "" for what its number says itself. */
  function unitWord(entry) {
    const unit = (live.config().lang === "en" && entry.unit_en) || entry.unit || "";
    return /^(%|Rp)/.test(unit) ? "" : unit;
  }

  Object.assign(window.lawang.wall, {
    format: { number, percent, compact, money, figure: figureText, score, signed, minutes, day, MISSING },
    parts: {
      tile,
      entitle,
      figure,
      setNumber,
      rows,
      fit,
      fill,
      noGauge,
      lamp,
      light,
      lightWord,
      nothing,
      regionName,
      categoryName,
      named,
      unitWord,
    },
  });
})();
