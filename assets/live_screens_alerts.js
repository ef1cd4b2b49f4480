/* The alerts on the operator's desk: the worst first, what is to be done, and who did what.
 *
 * The panel `alarms` says that something changed; the list itself is the API's, which also knows
 * the shelved ones and the names. A row is made once and its facts changed where they differ.
 */
"use strict";

window.lawang = window.lawang || {};

(() => {
  const { live, desk } = window.lawang;
  const { say, part } = live;

  const ASK_EVERY_MS = 15000;
  /** Hints that come close together are one question. */
  const HINT_MS = 300;
  /** As many as one page of the API has: the worst may be the oldest. */
  const MOST = 1000;
  /** Under the week that the API allows, in seconds. */
  const SHELVES = [1800, 3600, 3 * 3600, 8 * 3600, 86400, 3 * 86400];

  const rows = new Map();
  let root = null;
  let summary = null;
  let list = null;
  let trouble = null;
  let caution = null;
  let readAt = null;
  let hinted = null;
  let asking = 0;
  /** The newest question that was settled: what an older one brings is of the past. */
  let settled = 0;

  function stateWord(alert) {
    if (alert.state === "unknown") {
      const why = {
        not_heard: () => say("its source is not heard"),
        vanished: () => say("its readings stopped"),
        too_little: () => say("too little to compare with"),
      }[alert.why];
      return why ? say("unknown: {why}", { why: why() }) : say("unknown");
    }
    return alert.state === "active" ? say("active") : say("over");
  }

  function eventWord(kind) {
    const word = {
      raised: () => say("raised"),
      unknown: () => say("unknown"),
      known: () => say("known again"),
      cleared: () => say("over"),
      retired: () => say("over, as its rule is gone"),
      shelf_ended: () => say("the shelf's time is over"),
      acknowledged: () => say("acknowledged"),
      shelved: () => say("shelved"),
      unshelved: () => say("taken off the shelf"),
      resolved: () => say("resolved"),
    }[kind];
    return word ? word() : kind;
  }

  // --- one alert -------------------------------------------------------------------------------

  function makeRow(id) {
    const head = part("div", { class: "alert-head" }, "");
    const facts = part("div", { class: "alert-facts" }, "");
    const buttons = part("div", { class: "desk-buttons" }, "");
    const opened = part("div", {}, "");
    const told = desk.toldPlace();
    const log = desk.opening(say("Log of this alert"), () => askLog(id));
    const element = part("li", { class: "alert-row", "data-alert": id }, [
      head,
      facts,
      buttons,
      opened,
      told,
      log.root,
    ]);
    const row = { id, element, head, facts, buttons, opened, told, log, alert: null };
    const acknowledge = desk.button(say("Acknowledge"), () =>
      act(row, acknowledge, { action: "acknowledge" }, () => say("Acknowledged.")),
    );
    const unshelve = desk.button(say("Take off the shelf"), () =>
      act(row, unshelve, { action: "unshelve" }, () => say("It is announced again.")),
    );
    const shelve = desk.button(say("Shelve…"), () => open(row, shelve, shelveForm), {
      "aria-expanded": "false",
    });
    const resolve = desk.button(say("Resolve…"), () => open(row, resolve, resolveForm), {
      "aria-expanded": "false",
    });
    row.choices = { acknowledge, shelve, unshelve, resolve };
    buttons.append(acknowledge, shelve, unshelve, resolve);
    return row;
  }

  function showRow(alert) {
    if (!rows.has(alert.id)) rows.set(alert.id, makeRow(alert.id));
    const row = rows.get(alert.id);
    const { log } = row;
    const changed = row.alert && row.alert.version !== alert.version;
    row.alert = alert;
    row.element.dataset.severity = alert.severity;
    row.element.dataset.state = alert.state;
    row.element.classList.toggle("is-shelved", alert.shelved);
    desk.refill(row.head, [
      part("span", { class: "severity" }, live.severityWord(alert.severity)),
      part("h3", {}, desk.own(alert, "name")),
      part("span", { class: "alert-region" }, alert.region_name),
      part("span", { class: "alert-state" }, stateWord(alert)),
      part("span", { class: "alert-age" }, [
        part("span", {}, `${desk.until(alert.active_at)} · `),
        part("span", { "data-ago": alert.active_at }, ""),
      ]),
    ]);
    desk.refill(row.facts, factsOf(alert));
    desk.hide(row.choices.acknowledge, Boolean(alert.acked_at), log.summary);
    desk.hide(row.choices.shelve, alert.shelved, log.summary);
    desk.hide(row.choices.unshelve, !alert.shelved, log.summary);
    if (changed) log.look();
    return row.element;
  }

  function factsOf(alert) {
    const notes = [
      alert.owner_name ? say("Who acts: {owner}", { owner: alert.owner_name }) : "",
      alert.simulated ? say("simulated") : "",
      alert.silenced ? say("within its silent hours: not announced") : "",
    ].filter((each) => each);
    const steps = desk.own(alert, "steps");
    return [
      part("p", { class: "alert-text" }, desk.own(alert, "text")),
      part("p", { class: "desk-note" }, [
        notes.join(" · "),
        ...(alert.observed_at
          ? [
              notes.length ? " · " : "",
              `${say("value of {time}", { time: desk.until(alert.observed_at) })}, `,
              part("span", { "data-ago": alert.observed_at }, ""),
            ]
          : []),
      ]),
      alert.acked_at
        ? part("p", { class: "alert-done" }, [
            say("Acknowledged by {name} at {time}", {
              name: alert.acked_by || "–",
              time: desk.until(alert.acked_at),
            }),
          ])
        : "",
      alert.shelved
        ? part("p", { class: "alert-done" }, [
            say("Shelved by {name} until {time}: {reason}", {
              name: alert.shelved_by || "–",
              time: desk.until(alert.shelved_until),
              reason: alert.shelved_reason || "–",
            }),
          ])
        : "",
      steps.length
        ? part("ol", { class: "steps", "aria-label": say("What to do") }, [
            ...steps.map((each) => part("li", {}, each)),
          ])
        : "",
    ];
  }

  async function askLog(id) {
    const found = await desk.call(`/api/v1/alerts/${id}`);
    if (!found.ok) return found.parts;
    const events = found.said.events.map((each) =>
      part("li", {}, [
        part("time", { datetime: each.at }, desk.until(each.at)),
        " ",
        part("b", {}, eventWord(each.kind)),
        each.by ? ` · ${each.by}` : ` · ${say("by the rule")}`,
        each.value === null ? "" : ` · ${live.number(each.value)}`,
        each.note ? ` · ${each.note}` : "",
      ]),
    );
    return [part("ol", { class: "log" }, events)];
  }

  // --- what a person does ------------------------------------------------------------------------

  async function act(row, button, what, sentence) {
    // The list without it may come before the answer: its row waits for what there is to tell.
    row.busy = true;
    const done = await desk.act(
      button,
      row.told,
      `/api/v1/alerts/${row.id}`,
      (by) => ({ ...what, by }),
      ({ alert, shown }) => {
        row.acted = alert;
        return shown
          ? sentence(alert)
          : `${sentence(alert)} ${say("The walls follow within half a minute.")}`;
      },
    );
    row.busy = false;
    if (done) close(row);
    // A list that was asked for before this was done is not shown any more.
    settled = ++asking;
    ask();
    return done;
  }

  function close(row) {
    if (row.opened.contains(document.activeElement)) row.log.summary.focus({ preventScroll: true });
    row.opened.replaceChildren();
    for (const each of [row.choices.shelve, row.choices.resolve])
      each.setAttribute("aria-expanded", "false");
  }

  function open(row, button, make) {
    const wasOpen = button.getAttribute("aria-expanded") === "true";
    close(row);
    if (wasOpen) return;
    button.setAttribute("aria-expanded", "true");
    row.opened.append(make(row));
    row.opened.querySelector("input").focus();
  }

  function shelveForm(row) {
    const reason = desk.text(say("Reason"), { required: "" });
    const length = desk.choice([], "3600");
    const times = () =>
      desk.fillChoice(
        length,
        desk
          .durations(SHELVES)
          .map(([value, text]) => [
            value,
            say("{span}, until {time}", {
              span: text,
              time: live.clock(live.now() + Number(value)),
            }),
          ]),
        "3600",
      );
    times();
    length.addEventListener("focus", times);
    const fields = [reason.field, desk.field(say("How long"), length)];
    return desk.form(fields, say("Shelve"), (submit) => {
      const until = new Date((live.now() + Number(length.value)) * 1000).toISOString();
      act(row, submit, { action: "shelve", note: reason.input.value.trim(), until }, (alert) =>
        say("Shelved until {time}.", { time: desk.until(alert.shelved_until) }),
      );
    });
  }

  function resolveForm(row) {
    const note = desk.text(say("What was found or done"), { required: "" });
    return desk.form([note.field], say("Resolve"), (submit) =>
      act(row, submit, { action: "resolve", note: note.input.value.trim() }, () =>
        say("Resolved. It is raised anew if it still holds when its facts change."),
      ),
    );
  }

  // --- the list --------------------------------------------------------------------------------

  function worstFirst(one, other) {
    const [left, right] = [one, other].map((each) => ({ ...each, acked: Boolean(each.acked_at) }));
    return one.shelved - other.shelved || live.worstFirst(left, right);
  }

  async function ask() {
    const mine = ++asking;
    const found = await desk.call(`/api/v1/alerts?limit=${MOST}`);
    // Whatever asks meanwhile: a failure is told, else questions close together would hide it.
    if (mine < settled) return;
    settled = mine;
    if (found.ok) show(found.said);
    root.dataset.old = String(!found.ok);
    desk.refill(trouble, found.ok ? [] : troubleOf(found.parts));
  }

  function troubleOf(parts) {
    return [
      part("b", {}, say("The list cannot be read.")),
      " ",
      ...parts,
      readAt === null
        ? ""
        : ` ${say("Shown is the list of {time}.", { time: live.clock(readAt) })}`,
    ];
  }

  function show(found) {
    readAt = live.seconds(found.at);
    const alerts = [...found.alerts].sort(worstFirst);
    const order = alerts.map((alert) => {
      const element = showRow(alert);
      rows.get(alert.id).acted = null;
      return element;
    });
    const left = leaving(alerts);
    desk.arrange(list, [...order, ...left]);
    const blind = Object.entries(found.blind);
    desk.refill(summary, [
      part(
        "p",
        { class: found.total ? "" : "alerts-none" },
        found.total
          ? say("{n} open, of these {unknown} unknown, {shelved} shelved", {
              n: live.number(found.total),
              unknown: live.number(found.unknown),
              shelved: live.number(alerts.filter((each) => each.shelved).length),
            })
          : say("No alert is open."),
      ),
      found.total > alerts.length
        ? part("p", { class: "desk-warning" }, [
            say("{n} more are not shown here.", { n: live.number(found.total - alerts.length) }),
          ])
        : "",
      blind.length
        ? part("p", { class: "desk-warning" }, [
            say("Nobody can tell of {n} watched things without an alert: {rules}", {
              n: live.number(blind.reduce((sum, [, n]) => sum + n, 0)),
              rules: blind.map(([rule, n]) => `${rule} (${live.number(n)})`).join(", "),
            }),
          ])
        : "",
    ]);
  }

  /** One that a person ended stays for a while: what came of the press is read there. */
  function leaving(alerts) {
    const open = new Set(alerts.map((each) => each.id));
    const kept = [];
    for (const [id, row] of rows) {
      if (open.has(id)) continue;
      if (row.acted && !row.leaveAt) row.leaveAt = performance.now() + ASK_EVERY_MS;
      if (row.busy) kept.push(row.element);
      else if (row.leaveAt > performance.now()) {
        showRow(row.acted);
        desk.hide(row.buttons, true, row.log.summary);
        kept.push(row.element);
      } else rows.delete(id);
    }
    return kept;
  }

  function hint() {
    if (!root || hinted) return;
    hinted = setTimeout(() => {
      hinted = null;
      ask();
    }, HINT_MS);
  }

  desk.onStart(() => {
    root = document.getElementById("desk-alerts");
    trouble = part("div", { class: "desk-trouble", role: "status" }, "");
    summary = part("div", { class: "desk-summary" }, [part("p", {}, say("asking"))]);
    caution = part("div", { class: "desk-warning", hidden: "" }, [
      say("What the rules rest on is not all heard, or not now: there may be more."),
    ]);
    list = part("ul", { class: "alert-list" }, "");
    root.replaceChildren(trouble, summary, caution, list);
    ask();
    setInterval(ask, ASK_EVERY_MS);
  });
  // Silence is never green: no alert is good news only while its sources are heard.
  desk.onSecond(() => {
    const isSound = ["fresh", "late"].includes(live.standing("alarms").health);
    caution.hidden = isSound && live.connection().state === "live";
    root.dataset.unsure = String(!caution.hidden);
  });
  live.on("alarms", hint);
})();
