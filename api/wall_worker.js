/* Stands in for a server that does not answer yet: a wall that is opened then shows one that waits.
 *
 * It keeps nothing, so it can never show an old wall as a new one; every call but that for the page
 * itself goes past it.
 */
"use strict";

const WAITING = %PAGE%;
const AWAY = [502, 503, 504];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") event.respondWith(page(event.request));
});

async function page(request) {
  try {
    const answer = await fetch(request);
    // A proxy in front of a server that is being started; a page of the server itself has a policy.
    const isProxy = AWAY.includes(answer.status) && !answer.headers.has("content-security-policy");
    return isProxy ? waiting() : answer;
  } catch {
    return waiting();
  }
}

function waiting() {
  return new Response(WAITING, {
    status: 503,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    },
  });
}
