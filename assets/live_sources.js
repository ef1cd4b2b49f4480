/* The table of sources: what each one's last polls brought, and what to do when they brought none. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part, clock, seconds } = live;

  const ERRORS = {
    unreachable: () =>
      say(
        "The department's server cannot be reached. Check that it runs and that the network is up.",
      ),
    timeout: () =>
      say(
        "The server does not answer in time. It may be overloaded; ask its operator if this goes on.",
      ),
    rate_limited: () =>
      say("The server asks us to call less often. We wait; raise the interval if this goes on."),
    bad_status: () => say("The server reports an error of its own. Tell the department."),
    refused: () =>
      say("The server refuses our key. Ask the department for a valid key and set it."),
    not_found: () =>
      say("The address is wrong: nothing is there. Check the address with the department."),
    redirected: () =>
      say(
        "The server sends us to another host, which is not allowed. Check the address with the department.",
      ),
    garbage: () =>
      say("The answer cannot be read. The department may have changed its system; tell them."),
    truncated: () =>
      say("The answer breaks off in the middle. The network or the server is failing."),
    too_large: () =>
      say("The answer is larger than allowed and was not read. Check what the department sends."),
    tls: () =>
      say(
        "The server's certificate is not valid. Ask the department to renew it, or set its CA file.",
      ),
    not_configured: () => say("Not connected yet: a setting is missing."),
    store_busy: () =>
      say("Our database is locked by another program; nothing is lost, it is read again."),
    store_down: () => say("Our database cannot be reached; nothing is lost, it is read again."),
    cache_down: () => say("Our live state cannot be reached; it is filled again when it is back."),
    crash: () => say("Our program stumbled over this source. See the poller's log."),
  };

  function errorText(source) {
    if (!source.error_kind) return "";
    const words = ERRORS[source.error_kind] ? ERRORS[source.error_kind]() : source.error_kind;
    const since = source.failing_since
      ? ` ${say("Since {time}.", { time: clock(seconds(source.failing_since)) })}`
      : "";
    return `${words}${since}`;
  }

  function count(value) {
    return value === undefined ? "–" : number(value);
  }

  const LABELS = {
    state: () => say("State"),
    success: () => say("Last success"),
    age: () => say("Age"),
    attempt: () => say("Last attempt"),
    duration: () => say("Duration"),
    records: () => say("Records"),
    incidents: () => say("Incidents"),
    quarantined: () => say("Quarantined"),
    unlocated: () => say("Unlocated"),
    error: () => say("Last error"),
  };

  /** On a phone the table's head is gone and each value carries its own label. */
  function cell(key, children, className) {
    return part("td", { class: className || "", "data-label": LABELS[key]() }, children);
  }

  function time(iso) {
    return iso ? clock(seconds(iso)) : "–";
  }

  live.on("sources", (panel) => {
    live.fill(
      "sources-body",
      Object.entries(panel.sources).map(([id, source]) =>
        part("tr", { "data-source": id, "data-health": "never" }, [
          part("th", { scope: "row" }, [
            part("span", { class: "source-name" }, source.name),
            part(
              "span",
              { class: "source-about" },
              `${source.opd} · ${source.description || source.connector}${source.simulated ? ` · ${say("simulated")}` : ""}`,
            ),
          ]),
          cell(
            "state",
            [
              part("span", { class: "lamp" }),
              part("span", { class: "state-word", "data-source-health": "" }),
            ],
            "state-cell",
          ),
          cell("success", [
            part("span", {}, time(source.last_success)),
            part(
              "span",
              { class: "source-about" },
              source.observed_at
                ? say("newest change {time}", { time: time(source.observed_at) })
                : "",
            ),
          ]),
          cell("age", [part("span", { "data-source-age": "" })], "number"),
          cell("attempt", time(source.last_attempt)),
          cell(
            "duration",
            source.duration_ms === undefined
              ? "–"
              : say("{n} ms", { n: number(Math.round(source.duration_ms)) }),
            "number",
          ),
          cell("records", count(source.records), "number"),
          cell("incidents", count(source.incidents), "number"),
          cell("quarantined", count(source.quarantined), "number"),
          cell("unlocated", count(source.unlocated), "number"),
          cell(
            "error",
            [
              part("span", {}, errorText(source)),
              part("span", { class: "source-about" }, notes(source)),
              part(
                "span",
                { class: "source-about", lang: "en" },
                source.error_kind ? source.error_detail : "",
              ),
            ],
            "error-cell",
          ),
        ]),
      ),
    );
  });

  /** What stands out although the polls succeed. */
  function notes(source) {
    const found = [];
    if (source.unknown_category)
      found.push(say("{n} with an unknown category", { n: number(source.unknown_category) }));
    if (source.unknown_status)
      found.push(say("{n} with an unknown status", { n: number(source.unknown_status) }));
    if (source.skewed)
      found.push(say("{n} with a time ahead of ours", { n: number(source.skewed) }));
    if (source.outdated)
      found.push(say("{n} older than already known", { n: number(source.outdated) }));
    return found.join(" · ");
  }
})();
