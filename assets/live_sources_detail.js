/* One source in full, beside the table: what it is, how good it is, what to decide, "try now".
 *
 * Everything here was written by a department, a citizen or a file: it is put in as text only.
 */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part, clock, seconds } = live;
  const EVERY_MS = 60000;
  /** The lists of a source that is polled every second are not read again every second. */
  const HINT_MS = 10000;

  let chosen = "";
  let detail = null;
  let key = "";
  let tried = null;
  let told = "";
  let hinted = null;
  let asking = 0;
  let pending = null;
  const open = new Set();

  const FINDINGS = {
    magnitude: () => say("Many times more or less than usual; a unit may be wrong"),
    falling: () => say("A total that fell"),
    future: () => say("About a time that has not come"),
    out_of_range: () => say("Outside what can be true"),
    empty_feed: () => say("The list is empty, which it never was"),
    shape: () => say("The shape of the records changed"),
  };
  const DECIDED = {
    accepted: () => say("accepted"),
    dismissed: () => say("dismissed"),
    over: () => say("over by itself"),
  };
  const REASONS = {
    bad_record: () => say("a record that cannot be read"),
    bad_file: () => say("a file that cannot be read"),
    bad_id: () => say("an unusable identity"),
    no_id: () => say("without an identity"),
    bad_time: () => say("an unusable time"),
    bad_place: () => say("an unusable place"),
    bad_value: () => say("an unusable value"),
    no_event: () => say("a warning without an event"),
    not_actual: () => say("a test or an exercise"),
    unknown_measure: () => say("a measure that its file does not name"),
    too_large: () => say("a message that is too large"),
  };
  const PERIODS = {
    instant: () => say("at a moment"),
    hour: () => say("an hour"),
    day: () => say("a day"),
    week: () => say("a week"),
    month: () => say("a month"),
    year: () => say("a year"),
  };

  const tools = () => window.lawang.sources;

  function section(title, children, id) {
    return part("section", { class: "detail-section", id: id || undefined }, [
      part("h3", {}, title),
      ...children,
    ]);
  }

  /** A part that can be folded; what a person opened stays open when it is drawn again. */
  function folded(name, summary, children) {
    const element = part("details", { "data-fold": name }, [
      part("summary", {}, summary),
      ...children,
    ]);
    element.open = open.has(name);
    element.addEventListener("toggle", () => {
      if (element.open) open.add(name);
      else open.delete(name);
    });
    return element;
  }

  function span(s) {
    if (s < 120) return say("{n} s", { n: number(s) });
    if (s < 7200) return say("{n} min", { n: number(Math.round(s / 60)) });
    if (s < 172800) return say("{n} h", { n: number(Math.round(s / 3600)) });
    return say("{n} d", { n: number(Math.round(s / 86400)) });
  }

  function time(iso) {
    return tools().time(iso);
  }

  function fact(label, value, attributes) {
    if (value === "" || value === undefined || value === null) return [];
    return [part("dt", {}, label), part("dd", attributes || {}, value)];
  }

  // --- sections ----------------------------------------------------------------------------

  function head(source) {
    const close = part(
      "button",
      { type: "button", class: "detail-close", "aria-label": say("Close") },
      "✕",
    );
    close.addEventListener("click", () => tools().want({ source: "" }));
    return part("header", { class: "detail-head" }, [
      part("h2", { class: "source-name", tabindex: "-1" }, source.name),
      close,
      part("p", { class: "source-about" }, `${source.opd} · ${live.about(source)}`),
      part("p", { class: "state-cell" }, [
        part("span", { class: "lamp" }),
        part("span", { class: "state-word", "data-source-health": "" }),
        part("span", { class: "source-age", "data-source-age": "" }),
      ]),
    ]);
  }

  function tryNow(source) {
    const button = part("button", { type: "button", class: "action", id: "try-now" }, say("Try now"));
    button.disabled = !mayAct() || source.connection.unset.length > 0 || tried !== null;
    button.addEventListener("click", askPoll);
    return part("div", { class: "detail-try" }, [
      button,
      part("span", { id: "try-told", role: "status" }, told),
      ...keyField(source),
    ]);
  }

  function mayAct() {
    return detail.may_act || key !== "";
  }

  function keyField(source) {
    if (source.may_act) return [];
    if (!source.takes_key)
      return [
        part(
          "p",
          { class: "source-about" },
          say("Only the centre's own machine may try and decide; see LAWANG_OPERATOR_TOKEN."),
        ),
      ];
    const field = part("input", {
      type: "password",
      id: "operator-key",
      autocomplete: "off",
      placeholder: say("Operator's key"),
      "aria-label": say("Operator's key"),
    });
    field.value = key;
    field.addEventListener("change", () => {
      key = field.value.trim();
      draw();
    });
    return [field];
  }

  function facts(source) {
    const way = source.connection;
    const cadence = say("every {every}, at most {timeout} an answer", {
      every: span(way.every_s),
      timeout: span(way.timeout_s),
    });
    const limits = say("late after {late}, stale after {stale}, down after {down}", {
      late: span(source.late_after_s),
      stale: span(source.stale_after_s),
      down: span(source.down_after_s),
    });
    const network = [
      way.further_hosts.length ? way.further_hosts.join(", ") : "",
      way.private_network ? say("inside the private network") : "",
      way.own_authorities ? say("own authorities") : "",
      way.client_certificate ? say("client certificate") : "",
      way.proxy ? say("by a proxy") : "",
    ].filter((each) => each);
    return section(say("Connection"), [
      part("dl", { class: "detail-facts" }, [
        ...fact(say("Protocol"), way.connector),
        ...fact(say("Yields"), tools().yieldsOf(source.id)),
        ...fact(say("Cadence"), `${cadence}; ${limits}`),
        ...fact(say("Last attempt"), time(source.last_attempt)),
        ...fact(say("Last success"), time(source.last_success)),
        ...fact(say("Newest change"), source.observed_at ? time(source.observed_at) : ""),
        ...fact(
          say("Duration"),
          source.duration_ms === undefined || source.duration_ms === null
            ? ""
            : say("{n} ms", { n: number(Math.round(source.duration_ms)) }),
        ),
        ...fact(
          say("Records"),
          source.records === null || source.records === undefined ? "" : number(source.records),
        ),
        ...fact(say("Network"), network.join(" · ")),
        ...fact(say("Still to set"), way.unset.join(", "), { class: "is-low" }),
        ...fact(say("Contact"), source.contact),
        ...fact(say("Attribution"), source.attribution),
        ...fact(say("Licence"), source.licence),
      ]),
    ]);
  }

  function quality(source) {
    const { day, month } = source.quality;
    const figures = [
      ["completeness", say("complete"), say("mapped fields that held something")],
      ["timeliness", say("on time"), say("polls due that succeeded")],
      ["validity", say("valid"), say("records usable, believable, in known words and places")],
      ["uniqueness", say("unique"), say("records that came once in an answer")],
    ];
    const rows = figures.map(([name, label, meaning]) =>
      part("tr", {}, [
        part("th", { scope: "row" }, [
          part("span", {}, label),
          part("span", { class: "source-about" }, meaning),
        ]),
        part("td", { class: "number", "data-day": name }, tools().percent(day[name])),
        part("td", { class: "number" }, tools().percent(month[name])),
      ]),
    );
    const total = (found) =>
      say("{polls} polls, {failures} failed", {
        polls: number(found.polls + found.failures),
        failures: number(found.failures),
      });
    return section(say("Quality"), [
      tools().beats(source.quality),
      part("p", { class: "beats-scale source-about" }, [
        part("span", {}, time(source.quality.beats_from)),
        part("span", {}, say("now")),
      ]),
      part("table", { class: "detail-table" }, [
        part("thead", {}, [
          part("tr", {}, [
            part("th", {}, ""),
            part("th", { scope: "col" }, say("24 hours")),
            part("th", { scope: "col" }, say("30 days")),
          ]),
        ]),
        part("tbody", {}, rows),
      ]),
      part("p", { class: "source-about" }, `${say("24 hours")}: ${total(day)} · ${say("30 days")}: ${total(month)}`),
    ]);
  }

  function measureName(source, id) {
    const measure = source.measures.find((each) => each.id === id);
    if (!measure) return id;
    return live.config().lang === "en" ? measure.name_en : measure.name_id;
  }

  function finding(source, found) {
    const measure = source.measures.find((each) => each.id === found.measure);
    const unit = measure ? ` ${measure.unit}` : "";
    const about = [
      found.measure ? measureName(source, found.measure) : "",
      found.subject,
      found.at ? time(found.at) : "",
    ].filter((each) => each);
    const values =
      found.value === null
        ? ""
        : `${number(found.value)}${unit}${found.usual === null ? "" : ` (${say("usually {value}", { value: number(found.usual) + unit })})`}`;
    const seen = say("{n} times, first {first}, last {last}", {
      n: number(found.count),
      first: time(found.first_seen),
      last: time(found.last_seen),
    });
    return part("li", { class: "finding", "data-finding": String(found.id) }, [
      part("b", {}, FINDINGS[found.kind] ? FINDINGS[found.kind]() : found.kind),
      part("span", { class: "finding-about" }, about.join(" · ")),
      part("span", { class: "finding-value" }, values),
      part("span", { class: "source-about", lang: "en" }, found.detail),
      part("span", { class: "source-about" }, seen),
      found.holds_back && found.state === "open"
        ? part("span", { class: "is-low" }, say("held back from every indicator until decided"))
        : "",
      found.sample
        ? folded(`sample-${found.id}`, say("Sample"), [part("pre", {}, found.sample)])
        : "",
      found.state === "open"
        ? decision(found)
        : part(
            "span",
            { class: "source-about" },
            [
              DECIDED[found.state] ? DECIDED[found.state]() : found.state,
              found.decided_at ? time(found.decided_at) : "",
              found.decided_by || "",
              found.note || "",
            ]
              .filter((each) => each)
              .join(" · "),
          ),
    ]);
  }

  /** Name, reason, and a second press: a decision counts for good. */
  function decision(found) {
    if (!mayAct()) return "";
    const saved = pending && pending.id === found.id ? pending : null;
    const by = part("input", {
      class: "decision-by",
      placeholder: say("Your name"),
      "aria-label": say("Your name"),
      maxlength: "120",
      autocomplete: "name",
    });
    const note = part("input", {
      class: "decision-note",
      placeholder: say("Reason"),
      "aria-label": say("Reason"),
      maxlength: "500",
      autocomplete: "off",
    });
    by.value = saved ? saved.by : sessionStorage.getItem("lawang-name") || "";
    note.value = saved ? saved.note : "";
    const keep = () => {
      pending = { id: found.id, by: by.value, note: note.value, step: "" };
    };
    by.addEventListener("input", keep);
    note.addEventListener("input", keep);
    const message = part("span", { class: "decision-told", role: "status" }, saved ? saved.told || "" : "");
    const box = part("div", { class: "decision" }, [by, note, message]);
    const choose = (word) => {
      if (by.value.trim().length < 2 || !note.value.trim()) {
        message.textContent = say("Give your name and a reason.");
        return;
      }
      pending = { id: found.id, by: by.value.trim(), note: note.value.trim(), step: word };
      draw();
    };
    if (saved && saved.step) {
      const accepts = saved.step === "accept";
      const sure = found.holds_back
        ? accepts
          ? say("Yes, these values are right: count them")
          : say("Yes, leave it out for good")
        : accepts
          ? say("Yes, it is meant to be so")
          : say("Yes, pass over it");
      const yes = part("button", { type: "button", class: "action", "data-act": "yes" }, sure);
      const no = part("button", { type: "button", "data-act": "no" }, say("Cancel"));
      by.disabled = note.disabled = true;
      yes.addEventListener("click", () => {
        yes.disabled = true;
        decide(found.id);
      });
      no.addEventListener("click", () => {
        pending = { ...pending, step: "" };
        draw();
      });
      box.append(yes, no);
    } else {
      const accept = part("button", { type: "button", "data-act": "accept" }, say("Accept"));
      const dismiss = part("button", { type: "button", "data-act": "dismiss" }, say("Dismiss"));
      accept.addEventListener("click", () => choose("accept"));
      dismiss.addEventListener("click", () => choose("dismiss"));
      box.append(accept, dismiss);
    }
    return box;
  }

  function findings(source) {
    const decided = source.decided_findings;
    return section(
      say("Findings"),
      [
        source.open_findings.length
          ? part(
              "ul",
              { class: "finding-list" },
              source.open_findings.map((each) => finding(source, each)),
            )
          : part("p", { class: "nothing" }, say("Nothing looks wrong.")),
        decided.length
          ? folded("decided", say("{n} decided or over", { n: number(decided.length) }), [
              part(
                "ul",
                { class: "finding-list" },
                decided.map((each) => finding(source, each)),
              ),
            ])
          : "",
      ],
      "detail-findings",
    );
  }

  function quarantine(source) {
    if (!source.quarantine_reasons.length) return "";
    const word = (code) => (REASONS[code] ? REASONS[code]() : tools().errorWord(code));
    return section(say("Quarantine"), [
      part(
        "ul",
        { class: "plain-list" },
        source.quarantine_reasons.map((each) =>
          part("li", {}, [
            part("b", {}, number(each.count)),
            part("span", {}, ` ${word(each.reason)}`),
            part("span", { class: "source-about" }, say("last {time}", { time: time(each.last_seen) })),
          ]),
        ),
      ),
      folded("quarantine", say("The newest of them"), [
        part(
          "ul",
          { class: "plain-list" },
          source.quarantine.map((each) =>
            part("li", {}, [
              part("span", {}, `${time(each.last_seen)} · ${word(each.reason)}`),
              part("span", { class: "source-about", lang: "en" }, each.detail),
              part("pre", {}, each.sample || each.external_id || ""),
            ]),
          ),
        ),
      ]),
    ]);
  }

  function outages(source) {
    if (!source.outages.length)
      return section(say("Outages"), [part("p", { class: "nothing" }, say("None on record."))]);
    return section(say("Outages"), [
      part(
        "ul",
        { class: "plain-list outage-list" },
        source.outages.map((each) => {
          const end = each.ended_at ? seconds(each.ended_at) : live.now();
          const lasted = span(Math.max(0, Math.round(end - seconds(each.began_at))));
          return part("li", {}, [
            part(
              "span",
              {},
              each.ended_at
                ? `${time(each.began_at)} – ${time(each.ended_at)} · ${lasted}`
                : `${time(each.began_at)} · ${say("still, since {age}", { age: lasted })}`,
            ),
            part("span", { class: "source-about" }, tools().errorWord(each.error_kind)),
            part("span", { class: "source-about", lang: "en" }, each.error_detail),
          ]);
        }),
      ),
    ]);
  }

  function measures(source) {
    if (!source.measures.length) return "";
    const name = (each) => (live.config().lang === "en" ? each.name_en : each.name_id);
    return section(say("Measures"), [
      folded("measures", say("{n} declared", { n: number(source.measures.length) }), [
        part(
          "ul",
          { class: "plain-list" },
          source.measures.map((each) =>
            part("li", {}, [
              part("span", { class: "source-name" }, name(each)),
              part(
                "span",
                { class: "source-about" },
                `${each.id} · ${each.unit} · ${PERIODS[each.period] ? PERIODS[each.period]() : each.period}`,
              ),
            ]),
          ),
        ),
      ]),
    ]);
  }

  function corrections(source) {
    if (!source.corrections.length) return "";
    return section(say("Corrections"), [
      folded("corrections", say("The newest of them"), [
        part(
          "ul",
          { class: "plain-list" },
          source.corrections.map((each) =>
            part("li", {}, [
              part(
                "span",
                {},
                `${measureName(source, each.measure)} ${each.subject} · ${time(each.at)}: ${number(each.before)} → ${each.after === null ? say("withdrawn") : number(each.after)}`,
              ),
              part(
                "span",
                { class: "source-about" },
                [time(each.corrected_at), each.delivery || ""].filter((text) => text).join(" · "),
              ),
            ]),
          ),
        ),
      ]),
    ]);
  }

  function sample(source) {
    if (!source.sample) return "";
    return section(say("Last sample, personal data masked"), [
      part(
        "p",
        { class: "source-about" },
        `${clock(seconds(source.sample.taken_at))} · ${source.sample.content_type}`,
      ),
      part(
        "pre",
        { class: "sample", tabindex: "0" },
        source.sample.body || say("It could not be masked, so it was not kept."),
      ),
    ]);
  }

  // --- drawing and asking --------------------------------------------------------------------

  function draw() {
    const place = document.getElementById("source-detail");
    const columns = document.getElementById("source-columns");
    if (!place || !columns) return;
    columns.classList.toggle("has-detail", chosen !== "");
    document.documentElement.classList.toggle("detail-open", chosen !== "");
    if (!chosen) {
      place.replaceChildren();
      return;
    }
    if (!detail || detail.id !== chosen) {
      place.replaceChildren(
        part("aside", { class: "detail", "data-loading": "" }, [
          part("p", { class: "nothing" }, detail && detail.missing ? detail.missing : "…"),
        ]),
      );
      return;
    }
    const before = place.querySelector(".detail");
    const scrolled = before && before.dataset.source === chosen ? before.scrollTop : 0;
    const stated = tools().source(chosen) || {};
    const error = tools().errorText({ ...detail, ...stated });
    const active = document.activeElement;
    const focus = place.contains(active) ? [active.className, active.id] : null;
    const aside = part(
      "aside",
      { class: "detail", "data-source": chosen, "data-health": detail.health, "aria-label": detail.name },
      [
        head(detail),
        error
          ? part("div", { class: "detail-error" }, [
              part("p", {}, error),
              part("p", { class: "source-about", lang: "en" }, stated.error_detail || detail.error_detail || ""),
            ])
          : "",
        tryNow(detail),
        findings(detail),
        quality(detail),
        facts(detail),
        quarantine(detail),
        outages(detail),
        measures(detail),
        corrections(detail),
        sample(detail),
      ],
    );
    place.replaceChildren(aside);
    aside.scrollTop = scrolled;
    if (focus) refocus(aside, focus);
  }

  /** A field that is being typed in keeps its cursor when everything is drawn again. */
  function refocus(aside, [className, id]) {
    const again = id
      ? aside.querySelector(`#${CSS.escape(id)}`)
      : className && aside.querySelector(`.${className.trim().split(/\s+/).map(CSS.escape).join(".")}`);
    if (again) again.focus({ preventScroll: true });
  }

  /** Whether somebody types or marks text in it, which drawing it again would undo. */
  function isInUse() {
    const place = document.getElementById("source-detail");
    const active = document.activeElement;
    const marked = window.getSelection();
    return Boolean(
      place &&
        ((place.contains(active) && active.tagName === "INPUT") ||
          (!marked.isCollapsed && place.contains(marked.anchorNode))),
    );
  }

  async function load() {
    if (!chosen || document.hidden) return;
    const mine = ++asking;
    const id = chosen;
    try {
      const answer = await fetch(`/api/v1/sources/${encodeURIComponent(id)}`, { cache: "no-store" });
      if (mine !== asking || id !== chosen) return;
      const body = await answer.json();
      if (!answer.ok) {
        if (answer.status === 404) detail = { missing: say("There is no such source.") };
        else if (!detail || detail.id !== id) detail = { missing: say("It cannot be read right now.") };
        else return;
      } else detail = body;
      // What somebody is typing is not drawn over; the next turn brings it.
      if (!isInUse() || detail.missing) draw();
    } catch (error) {
      // The page's own line says that the server is away; what is shown stays.
    }
  }

  function headers() {
    const found = { "Content-Type": "application/json" };
    if (key) found.Authorization = `Bearer ${key}`;
    return found;
  }

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: headers(),
      body: JSON.stringify(body),
    });
    return answer.status;
  }

  function refusal(status) {
    if (status === 401) return say("The key is not right.");
    if (status === 403) return say("This is not allowed from here.");
    if (status === 409) return say("It is decided already.");
    if (status === 429) return say("It was just asked for; wait a few seconds.");
    return say("It cannot be done right now. Try again shortly.");
  }

  async function askPoll() {
    const stated = tools().source(chosen) || detail;
    tried = { id: chosen, before: stated.last_attempt || "" };
    told = say("asked, waiting for the answer");
    draw();
    const mine = tried;
    try {
      const status = await post(`/api/v1/sources/${encodeURIComponent(chosen)}/poll`, {});
      if (status !== 202) {
        tried = null;
        told = refusal(status);
      } else
        setTimeout(() => {
          if (tried !== mine) return;
          tried = null;
          told = say("no answer yet; the poller may be busy");
          draw();
        }, 30000);
    } catch (error) {
      tried = null;
      told = refusal(0);
    }
    draw();
  }

  async function decide(id) {
    const { step, by, note } = pending;
    sessionStorage.setItem("lawang-name", by);
    let status = 0;
    try {
      status = await post(`/api/v1/findings/${id}`, { decision: step, by, note });
    } catch (error) {
      // Told below.
    }
    if (status === 200) pending = null;
    else pending = { ...pending, step: "", told: refusal(status) };
    draw();
    await load();
    tools().ask();
  }

  function choose(id) {
    chosen = id;
    detail = tried = pending = null;
    told = "";
    open.clear();
    draw();
    load().then(() => {
      const title = document.querySelector("#source-detail h2");
      if (title) title.focus({ preventScroll: true });
    });
  }

  /** The stream tells that this source was polled: what is shown of it is read again soon. */
  live.on("sources", (panel, _before, patch) => {
    if (!chosen || !patch || !patch.sources || !patch.sources[chosen]) return;
    const stated = panel.sources[chosen];
    if (tried && tried.id === chosen && (stated.last_attempt || "") !== tried.before) {
      tried = null;
      told = stated.error_kind ? say("tried, without success") : say("tried, with success");
      load();
    } else if (!hinted)
      hinted = setTimeout(() => {
        hinted = null;
        load();
      }, HINT_MS);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen) tools().want({ source: "" });
  });
  tools().onChosen(choose);
  setInterval(load, EVERY_MS);
})();
