/* review-worker.js — the page's own files, kept so that it opens while the service is away. What it asks of
 * the service is the page's affair (review-store.js): nothing of that is kept here. */
const kept = "vislang-review-1";
const files = ["/", "/static/style.css", "/static/review.css", "/static/review.js", "/static/review-store.js",
  "/static/dom.js", "/static/favicon.svg"];

self.addEventListener("install", (event) =>
  event.waitUntil(caches.open(kept).then((cache) => cache.addAll(files)).then(() => self.skipWaiting())));

self.addEventListener("activate", (event) =>
  event.waitUntil(caches.keys().then((names) =>
    Promise.all(names.filter((name) => name !== kept).map((name) => caches.delete(name))))
    .then(() => self.clients.claim())));

/* From the service while it answers, so that a new version is seen at once. */
async function answer(request, path) {
  const cache = await caches.open(kept);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(path, response.clone());
    return response;
  } catch (error) {
    const response = await cache.match(path);
    if (response) return response;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method === "GET" && files.includes(path)) event.respondWith(answer(event.request, path));
});
