/* One camera's picture: a stream by hls.js or a still, and how it really is.
 *
 * Everything comes from this host (/api/v1/cameras/...), which asks the camera once for all walls.
 * hls.js is loaded when the first stream is wanted. A camera is believed by what it shows: one whose
 * playlist, picture or time stands still is frozen, whatever its list says. What was found is kept
 * while the page lives, as a picture is often looked at for less time than it takes to tell.
 */
"use strict";

(() => {
  const live = window.lawang.live;
  const { part, say } = live;
  const LIBRARY = "/assets/vendor/hls.light.min.js";
  const FROZEN_S = 15;
  /** A still is expected to differ a little each time: noise alone sees to that. */
  const STILL_FROZEN_S = 60;
  const STILL_EVERY_S = 5;
  const RETRY_S = 8;
  /** What was found of a camera that nobody has looked at since holds no longer than this. */
  const FOUND_S = 600;
  const LISTED_S = 60;
  const LIST_MOST_S = 15;
  const KEPT = 2000;

  // --- the player, and what can be had of each camera -------------------------------------------

  let library = null;

  /** hls.js, or null where it cannot be had or this browser plays no streams. */
  function player() {
    library = library || load();
    return library;
  }

  function load() {
    return new Promise((done) => {
      const script = part("script", { src: LIBRARY });
      script.onload = () => done(window.Hls && window.Hls.isSupported() ? window.Hls : null);
      script.onerror = () => {
        script.remove();
        library = null;
        done(null);
      };
      document.head.append(script);
    });
  }

  let listed = null;
  let listing = null;
  let listAt = -Infinity;

  /**
   * What each camera shows: stream, still or nothing; by id. Null while it cannot be told. However
   * many ask and however often, one call is on its way, and one that failed is made again in a while.
   */
  function list() {
    if (!listing && performance.now() >= listAt) {
      const signal = AbortSignal.timeout(LIST_MOST_S * 1000);
      listing = fetch("/api/v1/cameras", { cache: "no-store", signal })
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
        .then((found) => {
          listed = Object.fromEntries(found.cameras.map((each) => [each.id, each.shows]));
          listAt = performance.now() + LISTED_S * 1000;
        })
        .catch(() => {
          listAt = performance.now() + RETRY_S * 1000;
        })
        .finally(() => {
          listing = null;
        });
    }
    return listing && !listed ? listing.then(() => listed) : Promise.resolve(listed);
  }

  function address(id, what) {
    return `/api/v1/cameras/${encodeURIComponent(id)}/${what}`;
  }

  // --- what was found of each camera --------------------------------------------------------------

  const memory = new Map();

  function remembered(id) {
    if (!memory.has(id)) memory.set(id, { state: "loading", since: null, at: 0, sign: null, signAt: 0 });
    if (memory.size > KEPT) memory.delete(memory.keys().next().value);
    return memory.get(id);
  }

  /** What the walls' own looking found: "dead", "frozen", or "" where it is as its list says. */
  function found(id) {
    const known = memory.get(id);
    const wrong = known && (known.state === "dead" || known.state === "frozen");
    return wrong && live.now() - known.at < FOUND_S ? known.state : "";
  }

  // --- one picture --------------------------------------------------------------------------------

  /** Show a camera in `root`; `tell(state, since, detail)` at every change. Call `close()` once. */
  function show(root, id, shows, tell) {
    const known = remembered(id);
    const leaving = new AbortController();
    let told = "";
    let closing = () => {};
    let closed = false;

    function become(state, detail = "", since = live.now()) {
      if (closed) return;
      const bad = state === "dead" || state === "frozen";
      if (state !== known.state) {
        known.state = state;
        known.since = since;
      }
      known.at = live.now();
      const now = JSON.stringify([state, known.since, detail]);
      if (now === told) return;
      told = now;
      tell(state, bad ? known.since : null, detail);
    }

    /** The sign of life: anything that differs whenever the picture is a new one. */
    function note(sign) {
      if (sign === known.sign) return;
      known.sign = sign;
      known.signAt = live.now();
    }

    const context = { root, id, known, leaving, become, note };
    // What was found stands until it is known better.
    const before = found(id);
    if (!before) known.state = "";
    become(before || "loading");
    closing = shows === "still" ? showStill(context) : showStream(context);
    return {
      close() {
        closed = true;
        leaving.abort();
        closing();
        // A state that nobody watches on is not news: only what was found wrong stays.
        if (known.state === "live" || known.state === "still") known.state = "loading";
      },
    };
  }

  function showStream({ root, id, known, leaving, become, note }) {
    const video = part("video", { class: "camera-picture", playsinline: "", muted: "" });
    video.muted = true;
    video.autoplay = true;
    video.disablePictureInPicture = true;
    root.append(video);
    let hls = null;
    let timer = 0;
    let place = -1;
    let placeAt = live.now();
    let standing = false;
    let recovered = false;

    function start() {
      player().then((Hls) => {
        if (leaving.signal.aborted) return;
        if (!Hls) {
          become("unplayable", window.Hls ? "browser" : "library");
          if (!window.Hls) again();
          return;
        }
        hls = new Hls(settings());
        hls.on(Hls.Events.LEVEL_LOADED, (_event, { details }) => {
          const stands_s = Math.max(FROZEN_S, 3 * (details.targetduration || 0));
          note(`${details.live ? "" : "ended "}${details.endSN}`);
          // Judged when it was heard again, never for not being heard: that is the line's fault.
          standing = live.now() - known.signAt > stands_s;
        });
        hls.on(Hls.Events.ERROR, (_event, data) => data.fatal && fail(Hls, data));
        hls.loadSource(address(id, "stream/index.m3u8"));
        hls.attachMedia(video);
        video.play().catch(() => {});
      });
    }

    function fail(Hls, data) {
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR && !recovered) {
        recovered = true;
        hls.recoverMediaError();
        return;
      }
      const codec = Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
      if (data.details === codec || data.details === Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR)
        become("unplayable", "browser");
      else become("dead");
      again();
    }

    /** Begin anew in a while: a dead camera is asked now and then, and no more. */
    function again() {
      stop();
      clearTimeout(timer);
      timer = setTimeout(start, RETRY_S * 1000);
    }

    function stop() {
      if (hls) hls.destroy();
      hls = null;
      standing = false;
      place = -1;
      video.removeAttribute("src");
      video.load();
    }

    function judge() {
      const now = live.now();
      if (hls && video.currentTime !== place && video.readyState >= 2) {
        place = video.currentTime;
        placeAt = now;
      }
      if (standing) become("frozen", "", known.signAt);
      else if (place > 0 && now - placeAt > FROZEN_S) {
        if (known.state !== "dead") become("frozen", "", placeAt);
      } else if (place > 0 && now - placeAt < 2) become("live");
    }

    const judging = setInterval(judge, 1000);
    start();
    return () => {
      clearInterval(judging);
      clearTimeout(timer);
      stop();
      video.remove();
    };
  }

  function settings() {
    const policy = (retries) => ({
      default: {
        maxTimeToFirstByteMs: 12000,
        maxLoadTimeMs: 20000,
        timeoutRetry: { maxNumRetry: retries, retryDelayMs: 1000, maxRetryDelayMs: 4000 },
        errorRetry: { maxNumRetry: retries, retryDelayMs: 1000, maxRetryDelayMs: 4000 },
      },
    });
    return {
      // A dozen workers cost more memory than the unpacking of small pictures costs time.
      enableWorker: false,
      autoStartLoad: true,
      capLevelToPlayerSize: true,
      startLevel: 0,
      liveSyncDurationCount: 2,
      liveMaxLatencyDurationCount: 8,
      liveDurationInfinity: true,
      backBufferLength: 2,
      maxBufferLength: 8,
      maxMaxBufferLength: 12,
      maxBufferSize: 8e6,
      manifestLoadPolicy: policy(0),
      playlistLoadPolicy: policy(2),
      fragLoadPolicy: policy(2),
    };
  }

  function showStill({ root, id, known, leaving, become, note }) {
    const image = part("img", { class: "camera-picture", alt: "" });
    let shown = "";
    let timer = 0;

    function next() {
      const next_s = known.state === "dead" ? RETRY_S : STILL_EVERY_S;
      timer = setTimeout(read, next_s * 1000);
    }

    function read() {
      fetch(address(id, "still"), { cache: "no-store", signal: leaving.signal })
        .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(answer.status))))
        .then((blob) => blob.arrayBuffer().then((bytes) => put(blob, new Uint8Array(bytes))))
        .catch(() => !leaving.signal.aborted && become("dead"))
        .finally(() => leaving.signal.aborted || next());
    }

    function put(blob, bytes) {
      if (leaving.signal.aborted) return;
      note(signOf(bytes));
      const before = shown;
      shown = URL.createObjectURL(blob);
      image.src = shown;
      if (!image.isConnected) root.append(image);
      if (before) URL.revokeObjectURL(before);
      if (live.now() - known.signAt > STILL_FROZEN_S) 
        become("frozen", "", known.signAt);
      else become("still", String(live.now()));
    }

    read();
    return () => {
      clearTimeout(timer);
      if (shown) URL.revokeObjectURL(shown);
      image.remove();
    };
  }

  /** FNV-1a over the bytes: two pictures that are the same have the same sign. */
  function signOf(bytes) {
    let sign = 0x811c9dc5;
    for (const byte of bytes) sign = Math.imul(sign ^ byte, 0x01000193);
    return `${bytes.length} ${sign >>> 0}`;
  }

  Object.assign(window.lawang.wall, {
    camera: { show, list, found, stateText },
  });

  /** Shape, words and kind of a state; never by colour alone. `listedState` is the source's word. */
  function stateText(state, since, detail) {
    const time = since ? say("since {time}", { time: live.clock(since) }) : "";
    return {
      loading: () => ["◌", say("loading picture"), "", "wait"],
      live: () => ["●", say("live picture"), "", "good"],
      still: () => ["■", say("still picture"), detail, "good"],
      dead: () => ["✕", say("dead"), time, "bad"],
      broken: () => ["✕", say("out of order"), time, "bad"],
      frozen: () => ["▲", say("frozen"), time, "warn"],
      unplayable: () => [
        "✕",
        detail === "browser" ? say("this browser cannot play it") : say("player not loaded"),
        "",
        "warn",
      ],
      unshown: () => ["–", say("no stream"), "", "wait"],
    }[state]();
  }
})();
