/* Keeps the mayor's pages readable without a line: the last state of each page that was opened.
 *
 * Pages are asked of the server first; one that does not answer in time, or cannot read its records,
 * is replaced by what was kept, marked as such for all to see. Only what the server answered with
 * 200 is kept. Calls of the API, the stream and everything but GET go past this worker.
 */
"use strict";

const BUILD = "%BUILD%";
const PAGES = "mayor-pages";
const PARTS = `mayor-parts-${BUILD}`;
const PATIENCE_MS = 3000;
const KEPT_MAX = 60;
const FONTS = ["/assets/fonts/b612-latin-400-normal.woff2", "/assets/fonts/b612-latin-700-normal.woff2"];

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith("mayor-") && name !== PAGES && name !== PARTS) await caches.delete(name);
      if (self.registration.navigationPreload) await self.registration.navigationPreload.enable();
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  const address = event.data && event.data.keep;
  if (typeof address === "string" && isPage(new URL(address)))
    event.waitUntil(
      fetch(address, { headers: { accept: "text/html" } }).then((answer) => keep(address, answer), () => {}),
    );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  const wantsPage = request.mode === "navigate" || (request.headers.get("accept") || "").startsWith("text/html");
  if (isPage(url) && wantsPage) event.respondWith(page(event));
  else if (url.pathname.startsWith("/mayor/static/") || FONTS.includes(url.pathname))
    event.respondWith(part(request));
});

/** A page of the mayor's; files below it (the worker, the manifest) have an ending. */
function isPage(url) {
  return (
    url.origin === location.origin &&
    (url.pathname === "/mayor" || url.pathname.startsWith("/mayor/")) &&
    !url.pathname.startsWith("/mayor/static/") &&
    !/\.\w+$/.test(url.pathname)
  );
}

/** The same page however it was come to: from the home screen or by a link. */
function keyOf(address) {
  const url = new URL(address);
  url.searchParams.delete("source");
  url.hash = "";
  return url.href;
}

async function page(event) {
  const key = keyOf(event.request.url);
  const asked = ask(event);
  // What comes too late for this time is there for the next one.
  event.waitUntil(asked.then((answer) => answer && keep(key, answer.clone()), () => {}));
  const kept = await (await caches.open(PAGES)).match(key);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await (kept ? Promise.race([asked, late]) : asked).catch(() => undefined);
  if (answer && answer.status < 500) return answer;
  if (kept) return marked(kept, answer ? "server" : "line");
  return answer || never(new URL(key));
}

async function ask(event) {
  return (await event.preloadResponse) || fetch(event.request);
}

async function keep(address, answer) {
  const pages = await caches.open(PAGES);
  const key = keyOf(address);
  // What a person may not see any more is not to be seen here either.
  if ([401, 403, 404, 410].includes(answer.status)) await pages.delete(key);
  if (answer.status !== 200 || answer.redirected || !isHtml(answer)) return;
  await pages.delete(key);
  await pages.put(key, answer);
  const keys = await pages.keys();
  for (const old of keys.slice(0, Math.max(0, keys.length - KEPT_MAX))) await pages.delete(old);
}

function isHtml(answer) {
  return (answer.headers.get("content-type") || "").startsWith("text/html");
}

/** The page as it was, with a mark that its style sheet and its script know. */
async function marked(answer, why) {
  const text = await answer.text();
  const headers = new Headers(answer.headers);
  for (const name of ["content-encoding", "content-length", "set-cookie"]) headers.delete(name);
  return new Response(text.replace("<html", `<html data-stored="${why}"`), { headers });
}

async function part(request) {
  const parts = await caches.open(PARTS);
  const kept = await parts.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.status === 200) await parts.put(request, answer.clone());
  return answer;
}

/** A page that was never opened here. Nobody can be asked for its language, so it says both. */
function never(url) {
  const home = new URL("/mayor", url);
  const language = url.searchParams.get("lang");
  if (language === "en") home.searchParams.set("lang", language);
  const [id, en] = [
    `<div lang="id"><h1>Tidak tersambung</h1><p>Halaman ini belum pernah dibuka di perangkat ini, jadi tidak ada salinannya.</p><p><a href="${home.pathname}${home.search}">Ke halaman wali kota</a></p></div>`,
    `<div lang="en"><h1>Not connected</h1><p>This page was never opened on this device, so there is no copy of it.</p><p><a href="${home.pathname}${home.search}">To the mayor's page</a></p></div>`,
  ];
  return new Response(
    `<!DOCTYPE html><html lang="id"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tidak tersambung · Not connected</title><style>body{font:1.1rem/1.5 system-ui,sans-serif;background:#0b141c;color:#e8eef2;margin:2rem;max-width:34rem}a{color:#67d0f0;display:inline-block;padding:.7rem 0}h1{color:#ffb454}</style><main>${language === "en" ? en + id : id + en}</main></html>`,
    { status: 503, headers: { "content-type": "text/html; charset=utf-8" } },
  );
}
