/* The status of the city on the operator's desk: what it is, why, and a person's hand on it. */
"use strict";

window.lawang = window.lawang || {};

(() => {
  const { live, desk } = window.lawang;
  const { say, part } = live;

  const LEVELS = [1, 2, 3, 4, 5];
  const ASK_EVERY_MS = 60000;
  const LENGTHS = [1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 86400];

  let root = null;
  let shown = null;
  let forms = null;
  let told = null;
  let level = null;
  let giveBack = null;
  let log = null;
  /** What the API said last, which also knows the words of all levels. */
  let asked = null;
  let trouble = [];
  let asking = 0;
  /** The newest question that was settled: what an older one brings is of the past. */
  let settled = 0;

  /** The panel where there is one, else what the API said; null if neither is known. */
  function current() {
    const panel = live.panel("status");
    if (panel && panel.level) return panel;
    if (!asked) return null;
    return {
      ...asked.now,
      level: asked.now.level,
      since: asked.since,
      computed: asked.computed,
      by_hand: asked.by_hand,
      unknown: asked.unknown,
      // The sentences of the API are in English; it is the panel that has both languages.
      reasons: asked.reasons.map((each) => ({ text_id: each.text, text_en: each.text })),
    };
  }

  function wordOf(number) {
    const found = asked && asked.levels.find((each) => each.level === number);
    return found ? `${number} · ${desk.own(found, "word")}` : String(number);
  }

  function unknownWord(name) {
    const word = {
      alarms: () => say("alerts"),
      sources: () => say("the state of sources"),
      score: () => say("the city's score"),
    }[name];
    return word ? word() : name;
  }

  function listOf(title, entries, attributes) {
    return part("div", attributes || {}, [
      part("h3", {}, title),
      entries.length
        ? part("ul", { class: "plain" }, entries.map((each) => part("li", {}, each)))
        : part("p", { class: "desk-note" }, "–"),
    ]);
  }

  function draw() {
    if (!root) return;
    const status = current();
    forms.hidden = !status;
    if (!status) {
      desk.refill(shown, [part("p", { role: "status" }, trouble.length ? trouble : say("asking"))]);
      return;
    }
    root.dataset.level = String(status.level);
    const reasons = (status.reasons || []).map((each) => desk.own(each, "text"));
    const hand = status.by_hand;
    const isHeard = Boolean((live.panel("status") || {}).level);
    desk.refill(shown, [
      status.read_at
        ? part("p", { class: "desk-warning" }, [
            say("The records cannot be read; this is of {time}.", {
              time: desk.until(status.read_at),
            }),
          ])
        : "",
      // What the API said last is all there is then.
      trouble.length && !isHeard ? part("p", { class: "desk-warning" }, trouble) : "",
      part("div", { class: "status-now" }, [
        part("span", { class: "status-number" }, String(status.level)),
        part("div", {}, [
          part("strong", { class: "status-word" }, desk.own(status, "word")),
          part(
            "span",
            { class: "status-steps", role: "img", "aria-label": `${status.level} / 5` },
            LEVELS.map((each) => (each <= status.level ? "■" : "□")).join(""),
          ),
          part("p", {}, [
            say("since {time}", { time: desk.until(status.since) }),
            " · ",
            part("span", { "data-ago": status.since }, ""),
          ]),
          hand
            ? part("p", { class: "by-hand" }, [
                say("Set by {name} until {time}: {reason}. By the rules it is {level}.", {
                  name: hand.by,
                  time: desk.until(hand.until),
                  reason: hand.reason,
                  level: wordOf(status.computed),
                }),
              ])
            : "",
          (status.unknown || []).length
            ? part("p", { class: "desk-warning" }, [
                say("It may be too low; nobody can tell of: {what}", {
                  what: status.unknown.map(unknownWord).join(", "),
                }),
              ])
            : "",
        ]),
      ]),
      listOf(say("Reasons"), reasons, { class: "status-reasons" }),
      listOf(say("What is done at this level"), desk.own(status, "actions") || []),
    ]);
    desk.fillChoice(
      level,
      LEVELS.map((each) => [String(each), wordOf(each)]),
      String(status.level),
    );
    desk.hide(giveBack, !hand, log.summary);
  }

  async function ask() {
    const mine = ++asking;
    const found = await desk.call("/api/v1/status");
    if (mine < settled) return;
    settled = mine;
    if (found.ok) asked = found.said;
    trouble = found.ok
      ? []
      : found.status === 404
        ? [say("This city has no status: its screens.toml has no levels.")]
        : found.parts;
    draw();
  }

  async function askLog() {
    await ask();
    if (!asked || trouble.length) return trouble;
    const lines = asked.log.map((each) =>
      part("li", {}, [
        part("time", { datetime: each.at }, desk.until(each.at)),
        " ",
        part("b", {}, `${each.before === null ? "–" : each.before} → ${each.level}`),
        each.by ? ` · ${each.by}` : ` · ${say("by the rules")}`,
        each.reason ? ` · ${each.reason}` : "",
      ]),
    );
    return [part("ol", { class: "log" }, lines)];
  }

  function follow(said) {
    settled = ++asking;
    asked = said;
    draw();
    log.look();
  }

  function build() {
    root = document.getElementById("desk-status");
    shown = part("div", { class: "status-shown" }, "");
    told = desk.toldPlace();
    level = desk.choice([], "1");
    const length = desk.choice(desk.durations(LENGTHS), "3600");
    const reason = desk.text(say("Reason"), { required: "", minlength: "3" });
    const set = desk.form(
      [desk.field(say("Level"), level), reason.field, desk.field(say("How long"), length)],
      say("Set the status"),
      (submit) =>
        desk.act(
          submit,
          told,
          "/api/v1/status",
          (by) => ({
            by,
            level: Number(level.value),
            reason: reason.input.value.trim(),
            for_s: Number(length.value),
          }),
          (said) => {
            follow(said);
            reason.input.value = "";
            return said.now.level === said.by_hand.level
              ? say("Set. The status is {level}.", { level: wordOf(said.now.level) })
              : say("Noted, but the rules call for more: the status is {level}.", {
                  level: wordOf(said.now.level),
                });
          },
        ),
    );
    giveBack = desk.button(say("Give back to the rules"), () =>
      desk.act(
        giveBack,
        told,
        "/api/v1/status/end",
        (by) => ({ by }),
        (said) => {
          follow(said);
          return say("The rules decide again. The status is {level}.", {
            level: wordOf(said.now.level),
          });
        },
      ),
    );
    log = desk.opening(say("Log of the status"), askLog);
    forms = part("div", { class: "status-forms" }, [
      part("h3", {}, say("Raise or lower it")),
      set,
      part("div", { class: "desk-buttons" }, [giveBack]),
      told,
      log.root,
    ]);
    root.replaceChildren(shown, forms);
    draw();
    ask();
    setInterval(ask, ASK_EVERY_MS);
  }

  desk.onStart(build);
  live.on("status", () => {
    draw();
    // Levels and log may have changed with it.
    if (root && log.root.open) log.look();
  });
})();
