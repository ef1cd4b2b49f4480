/* The sound of a wall: tones made here, one pattern a severity, and the sign that tells whether
 * they can be heard at all.
 *
 * Ideas taken from IEC 60601-1-8 (alarms of medical devices), which control rooms use as well: the
 * urgency is in the number, spacing and repetition of the pulses rather than in their loudness; a
 * pulse has its fundamental between 150 and 1000 Hz and four harmonics under 4 kHz, so that one
 * knows where it comes from and a single dead band of a loudspeaker does not hide it; it swells and
 * fades, so that nobody is startled. The standard's bursts of 10 and 3 pulses are halved: here they
 * call people to a picture, not to a bedside. No conformity is claimed.
 *
 * A browser keeps sound back until a person has acted on the page. The sign says so on the glass
 * until somebody did, and again when the sound was taken away.
 */
"use strict";

window.lawang = window.lawang || {};
window.lawang.wall = window.lawang.wall || {};

window.lawang.wall.sound = (() => {
  const live = window.lawang.live;
  const HARMONICS = [1, 0.6, 0.45, 0.3, 0.2];
  /** [pitch in Hz, start in s, length in s] of each pulse, and how loud, of 1. */
  const PATTERNS = {
    minor: { loud: 0.12, pulses: [[392, 0, 0.25]] },
    major: { loud: 0.22, pulses: [[440, 0, 0.2], [523.25, 0.4, 0.2]] },
    critical: {
      loud: 0.32,
      pulses: [
        [523.25, 0, 0.15],
        [523.25, 0.27, 0.15],
        [523.25, 0.54, 0.15],
        [659.25, 0.96, 0.15],
        [659.25, 1.23, 0.15],
      ],
    },
  };
  const TEST = { loud: 0.2, pulses: [[392, 0, 0.15], [523.25, 0.2, 0.15], [659.25, 0.4, 0.25]] };
  const LOUDER = ["minor", "major", "critical"];
  const INSISTS_S = 120;
  const INSISTS_EVERY_S = 5;
  const REMINDS_EVERY_S = 60;
  const RESUME_FIRST_S = 5;
  const RESUME_LAST_S = 300;
  const LOOKED = "lawang-wall-looked";
  const SVG = "http://www.w3.org/2000/svg";

  let mode = "idle";
  let context = null;
  let unproven = false;
  let known = null;
  let ringing = new Map();
  let mutedUntil = null;
  let rangAt = -Infinity;
  let everArmed = false;
  let triedAt = -Infinity;
  let resume_s = RESUME_FIRST_S;
  let drawn = "";

  // --- tones ---------------------------------------------------------------------------------

  function armed() {
    const running = context !== null && context.state === "running";
    everArmed = everArmed || running;
    return running;
  }

  function muted() {
    return mutedUntil !== null && live.seconds(mutedUntil) > live.now();
  }

  /** One pattern; nothing where it would not be heard, so that none waits to be heard too late. */
  function play({ loud, pulses }) {
    if (!armed()) return;
    const begin = context.currentTime + 0.05;
    for (const [pitch, start, length] of pulses) {
      const swell = context.createGain();
      const at = begin + start;
      swell.gain.setValueAtTime(0, at);
      swell.gain.linearRampToValueAtTime(loud, at + length * 0.25);
      swell.gain.setValueAtTime(loud, at + length * 0.6);
      swell.gain.linearRampToValueAtTime(0, at + length);
      swell.connect(context.destination);
      const tone = context.createOscillator();
      tone.setPeriodicWave(wave());
      tone.frequency.value = pitch;
      tone.connect(swell);
      tone.onended = () => swell.disconnect();
      tone.start(at);
      tone.stop(at + length);
    }
  }

  let shape = null;

  function wave() {
    if (!shape) {
      const real = new Float32Array(HARMONICS.length + 1);
      shape = context.createPeriodicWave(real, Float32Array.from([0, ...HARMONICS]));
    }
    return shape;
  }

  function ring(severity) {
    if (muted() || !armed()) return;
    play(PATTERNS[severity]);
    rangAt = performance.now() / 1000;
  }

  // --- which alarms --------------------------------------------------------------------------

  /** When this window last knew the alarms, by the server's clock; it survives a reload. */
  function lastLook() {
    return Number(sessionStorage.getItem(LOOKED)) || Infinity;
  }

  /**
   * Of the alarms that are new since this wall looked the worst sounds, once. A critical one goes on
   * until it is acknowledged, shelved or over, also after a reload.
   */
  function alarms(panel) {
    // Empty until the board has read them: then nothing is known, and nothing new.
    if (mode === "idle" || !panel || !panel.alarms) return;
    const first = known === null;
    const since = lastLook();
    const before = known || new Set();
    let worst = -1;
    const still = new Map();
    for (const [id, alarm] of Object.entries(panel.alarms)) {
      if (alarm.acked) continue;
      const raised = live.seconds(alarm.active_at);
      const isNew = first ? raised > since : !before.has(id);
      if (isNew) worst = Math.max(worst, LOUDER.indexOf(alarm.severity));
      if (alarm.severity === "critical")
        still.set(id, ringing.has(id) ? ringing.get(id) : isNew ? live.now() : raised);
    }
    ringing = still;
    known = new Set(Object.keys(panel.alarms));
    noteLook();
    if (worst >= 0) ring(LOUDER[worst]);
  }

  function noteLook() {
    if (known && live.connection().state === "live")
      sessionStorage.setItem(LOOKED, String(live.now()));
  }

  /** A critical alarm insists for two minutes and then reminds every minute. */
  function insist() {
    if (!ringing.size) return;
    const newest = Math.max(...ringing.values());
    const every = live.now() - newest < INSISTS_S ? INSISTS_EVERY_S : REMINDS_EVERY_S;
    if (performance.now() / 1000 - rangAt >= every) ring("critical");
  }

  /** Silence until this instant (ISO), or null. */
  function mute(until) {
    mutedUntil = until;
    sign();
  }

  // --- arming --------------------------------------------------------------------------------

  /** A person has acted: let sound be heard, with a tone that proves it. */
  function arm() {
    if (!context || armed()) return;
    unproven = true;
    context.resume().then(proven, () => {});
  }

  function proven() {
    // One click is several events, each of which asks.
    if (unproven && armed()) {
      unproven = false;
      play(TEST);
    }
    sign();
  }

  function acted(event) {
    if (event.type === "keydown" && (event.ctrlKey || event.altKey || event.metaKey)) return;
    const wasArmed = armed();
    arm();
    if (wasArmed && event.type === "keydown" && !event.repeat && event.key.toLowerCase() === "t")
      play(TEST);
  }

  /**
   * Sound that was taken away (another program, a lost device) is asked for again by itself. Where
   * the browser was told to allow it nobody ever acts: there it was heard before.
   */
  function regain() {
    if (armed()) {
      resume_s = RESUME_FIRST_S;
      return;
    }
    const active = navigator.userActivation && navigator.userActivation.hasBeenActive;
    if (!(active || everArmed) || performance.now() / 1000 - triedAt < resume_s) return;
    triedAt = performance.now() / 1000;
    // The browser keeps every question that it has not answered, and may not for days.
    resume_s = Math.min(2 * resume_s, RESUME_LAST_S);
    context.resume().then(sign, () => {});
  }

  // --- the sign ------------------------------------------------------------------------------

  function state() {
    if (mode !== "on") return mode;
    if (!armed()) return "blocked";
    return muted() ? "muted" : "armed";
  }

  function words(name) {
    return {
      off: () => live.say("no sound here"),
      blocked: () => live.say("Sound is not active: click or press a key"),
      muted: () => live.say("muted until {time}", { time: live.clock(live.seconds(mutedUntil)) }),
      armed: () => live.say("sound active"),
    }[name]();
  }

  /** A loudspeaker; with waves where it sounds, crossed out where it does not. */
  function icon(sounds) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", "0 0 24 24");
    drawing.setAttribute("aria-hidden", "true");
    const lines = ["M3 9v6h4l6 5V4L7 9z"];
    lines.push(sounds ? "M16.5 8.5a5 5 0 0 1 0 7M19 5.5a9 9 0 0 1 0 13" : "M16 9l6 6M22 9l-6 6");
    for (const line of lines) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", line);
      drawing.append(path);
    }
    return drawing;
  }

  function sign() {
    const place = document.getElementById("wall-sound");
    if (!place || mode === "idle") return;
    const name = state();
    const text = words(name);
    if (drawn === `${name} ${text}`) return;
    drawn = `${name} ${text}`;
    place.dataset.sound = name;
    // The only thing on a wall that can be pressed; any other place, and any key, does the same.
    const [tag, type] = name === "blocked" ? ["button", "button"] : ["span", undefined];
    place.replaceChildren(
      live.part(tag, { type, class: "sound-sign" }, [
        icon(name === "armed"),
        live.part("span", { class: "sound-word" }, text),
      ]),
    );
  }

  // --- start ---------------------------------------------------------------------------------

  function tick() {
    if (mode === "on") {
      regain();
      insist();
    }
    noteLook();
    sign();
  }

  /** Begin; pictures of a wall for others, and walls with `?sound=off`, stay silent. */
  function start() {
    const { thumb, sound } = live.config().wall || {};
    if (thumb) return;
    mode = sound === "off" || !window.AudioContext ? "off" : "on";
    if (mode === "on") {
      // Without a person's act it starts suspended, unless the browser was told to allow it.
      context = new AudioContext();
      context.onstatechange = sign;
      for (const kind of ["pointerdown", "click", "keydown", "touchend"])
        addEventListener(kind, acted, { capture: true, passive: true });
    }
    setInterval(tick, 1000);
    sign();
  }

  return {
    start,
    alarms,
    mute,
    test: () => play(TEST),
    state,
    /** Whether it can be heard, for the heartbeat; undefined where there shall be none. */
    armed: () => (mode === "on" ? armed() : undefined),
  };
})();
