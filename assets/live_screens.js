/* The operator's desk: who acts, how a call to the API goes, and what came of it.
 *
 * What a call brought is told beside its button, in a place that is read aloud. Nothing is asked by
 * a dialog of the browser: it would stop the ages. What a person is typing is never drawn over.
 */
"use strict";

window.lawang = window.lawang || {};

window.lawang.desk = (() => {
  const live = window.lawang.live;
  const { say, part } = live;

  const NAME_KEY = "lawang-operator";
  const SHORTEST_NAME = 2;
  /** A question is asked anew before the next one is due; what is to be done is given longer. */
  const ASK_PATIENCE_MS = 10000;
  const DO_PATIENCE_MS = 20000;
  /** A call that waits this long may be waiting for a free connection of this browser. */
  const QUEUED_MS = 4000;
  /** How long the second press is waited for. */
  const AGAIN_MS = 8000;

  let name = recalled();
  const starters = [];
  const crowded = [];
  const everySecond = [];

  // --- who acts ------------------------------------------------------------------------------

  /** A browser may refuse its storage: then the name holds until the page is left. */
  function recalled() {
    try {
      return localStorage.getItem(NAME_KEY) || "";
    } catch (error) {
      return "";
    }
  }

  function remember(text) {
    name = text;
    try {
      localStorage.setItem(NAME_KEY, text);
    } catch (error) {
      // Typed anew next time; nothing else hangs on it.
    }
  }

  function buildOperator(root) {
    const input = part("input", {
      type: "text",
      id: "operator-name",
      maxlength: "120",
      autocomplete: "name",
      "aria-describedby": "operator-note",
    });
    input.value = name;
    input.addEventListener("input", () => {
      remember(input.value.trim());
      if (name.length >= SHORTEST_NAME) input.removeAttribute("aria-invalid");
    });
    root.replaceChildren(
      part("label", { for: "operator-name" }, say("Your name")),
      input,
      part("p", { id: "operator-note", class: "desk-note" }, [
        say("It stands in the log beside everything you do here, and is kept in this browser."),
      ]),
    );
  }

  /** The name to sign with; "" after saying beside the button that it is missing. */
  function signed(told) {
    if (name.length >= SHORTEST_NAME) return name;
    tell(told, "bad", say("Type your name at the top of the page first."));
    const input = document.getElementById("operator-name");
    input.setAttribute("aria-invalid", "true");
    input.focus();
    return "";
  }

  // --- calls -----------------------------------------------------------------------------------

  /** Ask the API, or tell it `body`. Never throws: {ok, said} or {ok: false, parts to show}. */
  async function call(path, body) {
    const stop = new AbortController();
    const tooLong = setTimeout(() => stop.abort(), body ? DO_PATIENCE_MS : ASK_PATIENCE_MS);
    const queued = setTimeout(() => crowded.forEach((listener) => listener()), QUEUED_MS);
    try {
      const answer = await fetch(path, {
        method: body ? "POST" : "GET",
        cache: "no-store",
        signal: stop.signal,
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body ? JSON.stringify(body) : undefined,
      });
      const said = await answer.json().catch(() => null);
      if (answer.ok && said !== null) return { ok: true, said };
      return { ok: false, status: answer.status, parts: refusal(answer.status, said) };
    } catch (error) {
      const sentence = body
        ? say("The server did not answer, so it may or may not be done. Look before you repeat it.")
        : say("The server did not answer. It is asked again by itself.");
      return { ok: false, status: 0, parts: [sentence] };
    } finally {
      clearTimeout(tooLong);
      clearTimeout(queued);
    }
  }

  /** Why it was refused and what to do, and what the server itself says, which is in English. */
  function refusal(status, said) {
    const message = said && said.error && said.error.message;
    return [
      whatToDo(status),
      message
        ? part("span", { class: "server-words" }, [
            ` ${say("The server says:")} `,
            part("q", { lang: "en" }, String(message).slice(0, 400)),
          ])
        : "",
    ];
  }

  function whatToDo(status) {
    if (status === 401 || status === 403)
      return say(
        "Refused: this computer may not do that. Work at the server itself, or load this page again and enter the operator's key.",
      );
    if (status === 404) return say("It is no longer there. Load this page again.");
    if (status === 409)
      return say("Somebody else was faster. Look at it again before you repeat it.");
    if (status === 422) return say("What you entered was not accepted. Correct it and try again.");
    if (status === 429) return say("Too often in a short time. Wait a few seconds and try again.");
    if (status >= 500)
      return say("The server cannot do it right now; nothing was changed. Try again shortly.");
    return say("Refused ({status}).", { status });
  }

  /** What came of it: "good", "bad" or "wait", in words beside a shape. */
  function tell(told, kind, parts) {
    told.dataset.kind = kind;
    told.replaceChildren(...(Array.isArray(parts) ? parts : [parts]).filter((each) => each !== ""));
  }

  function toldPlace() {
    return part("p", { class: "told", role: "status" }, "");
  }

  /** Do something with a name, and say beside the button what came of it.
   *
   * `make(by)` gives the body; `done(said)` the sentence to show, after what it does itself.
   */
  async function act(button, told, path, make, done) {
    if (button.getAttribute("aria-disabled") === "true") return false;
    const by = signed(told);
    if (!by) return false;
    // Not `disabled`: that would take the keyboard's place away.
    button.setAttribute("aria-disabled", "true");
    tell(told, "wait", say("sent, waiting for the answer"));
    const found = await call(path, make(by));
    button.removeAttribute("aria-disabled");
    if (found.ok) tell(told, "good", done(found.said));
    else tell(told, "bad", found.parts);
    return found.ok;
  }

  // --- parts -----------------------------------------------------------------------------------

  function button(label, action, attributes) {
    const made = part("button", { type: "button", ...attributes }, label);
    made.addEventListener("click", action);
    return made;
  }

  /** A button for what cannot be taken back: its second press does it, a double click does not. */
  function twice(label, told, action, attributes) {
    let armed = null;
    const made = part("button", { type: "button", ...attributes }, label);
    const disarm = () => {
      clearTimeout(armed);
      armed = null;
      made.textContent = label;
      made.classList.remove("is-armed");
    };
    made.addEventListener("click", (event) => {
      if (armed === null) {
        made.textContent = say("Press again: {what}", { what: label });
        made.classList.add("is-armed");
        tell(told, "wait", say("Press the same button again to do it, or leave it."));
        armed = setTimeout(disarm, AGAIN_MS);
        return;
      }
      if (event.detail > 1) return;
      disarm();
      action();
    });
    made.addEventListener("blur", () => {
      if (armed === null) return;
      disarm();
      tell(told, "", "");
    });
    return made;
  }

  function field(label, control) {
    return part("label", { class: "field" }, [part("span", {}, label), control]);
  }

  /** A list to choose from; `options` are [value, text]. */
  function choice(options, chosen) {
    const made = part("select", {}, []);
    fillChoice(made, options, chosen);
    return made;
  }

  /** Put these options in, and keep what was chosen; nothing is touched where they are the same. */
  function fillChoice(select, options, chosen) {
    const signature = JSON.stringify(options);
    if (select.dataset.signature === signature) return;
    const before = select.value || chosen;
    select.dataset.signature = signature;
    select.replaceChildren(...options.map(([value, text]) => part("option", { value }, text)));
    if (options.some(([value]) => value === before)) select.value = before;
  }

  function text(label, attributes) {
    const input = part("input", { type: "text", maxlength: "500", ...attributes });
    return { input, field: field(label, input) };
  }

  /** A form that a button opens and closes; `send` gets the button that was pressed. */
  function form(fields, label, send) {
    const submit = part("button", { type: "submit", class: "action" }, label);
    const made = part("form", { class: "desk-form", autocomplete: "off" }, [...fields, submit]);
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      send(submit);
    });
    return made;
  }

  function durations(lengths) {
    return lengths.map((each) => [String(each), live.duration(each)]);
  }

  function until(iso) {
    return live.clock(live.seconds(iso));
  }

  /** What an entry says in the page's language. */
  function own(entry, key) {
    const language = live.config().lang === "en" ? "en" : "id";
    return entry[`${key}_${language}`];
  }

  /** Replace what is in an element where it differs, so that what is selected is not lost. */
  function refill(element, parts) {
    const wanted = parts.filter((each) => each !== "" && each !== undefined);
    const signature = wanted.map((each) => each.outerHTML || each).join("\u0000");
    if (element.shown === signature) return;
    element.shown = signature;
    element.replaceChildren(...wanted);
  }

  /** Bring children into this order; what has the keyboard keeps it. */
  function arrange(parent, wanted) {
    const held = document.activeElement;
    for (const child of [...parent.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, at) => {
      if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] || null);
    });
    if (held && held !== document.activeElement && parent.contains(held))
      held.focus({ preventScroll: true });
  }

  /** Show or hide; the keyboard's place goes to `instead` where it would be lost. */
  function hide(element, isHidden, instead) {
    if (isHidden && element.contains(document.activeElement))
      instead.focus({ preventScroll: true });
    element.hidden = isHidden;
  }

  /** Something to open, that asks for its content then. `ask` gives {ok, parts}. */
  function opening(label, ask) {
    const body = part("div", { class: "opened", "aria-live": "polite" }, "");
    const made = part("details", {}, [part("summary", {}, label), body]);
    const look = async () => {
      if (!made.open) return;
      if (!body.childElementCount) body.replaceChildren(say("asking"));
      const found = await ask();
      if (made.open) body.replaceChildren(...found);
    };
    made.addEventListener("toggle", look);
    return { root: made, summary: made.firstElementChild, look };
  }

  // --- start -----------------------------------------------------------------------------------

  // Not at the first panel: status and alerts can be acted upon while no panel comes.
  live.started(() => {
    const root = document.getElementById("desk-operator");
    if (!root) return;
    buildOperator(root);
    for (const starter of starters) live.attempt("desk", starter);
    setInterval(() => {
      for (const each of everySecond) live.attempt("desk", each);
    }, 1000);
  });

  return {
    onStart: (starter) => starters.push(starter),
    onSecond: (listener) => everySecond.push(listener),
    /** Told when a call waits for long: whoever holds connections lets go of them. */
    onCrowded: (listener) => crowded.push(listener),
    act,
    arrange,
    button,
    call,
    choice,
    durations,
    field,
    fillChoice,
    form,
    hide,
    opening,
    own,
    refill,
    text,
    toldPlace,
    twice,
    until,
  };
})();
