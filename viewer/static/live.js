// Follows what a page shows: the server says that something has changed, the page is asked for again, and the parts
// that are different now are put in place. Without this file every page works, and is as old as when it was loaded.
"use strict";

const body = document.body;
const parts = () => document.querySelectorAll("[data-live]");
const shown = new Map();
for (const part of parts()) shown.set(part.id, part.outerHTML);

let loading = false;
let again = false;
let mark = body.dataset.mark;

function load(address) {
  if (loading) { again = true; return; }
  loading = true;
  const request = new XMLHttpRequest();
  request.open("GET", address || location.href);
  request.responseType = "document";
  request.onloadend = () => {
    loading = false;
    if (request.status === 200 && request.response) show(request.response);
    else if (request.status === 403) following("this page has to be opened again", true);
    else if (request.status) following("this cannot be shown any more", true);
    if (again) { again = false; load(); }
  };
  request.send();
}

function show(page) {
  const focused = document.activeElement && document.activeElement.closest("[data-live]") ? keyOf(document.activeElement) : null;
  let changed = false;
  const there = new Set();
  let last = null;
  for (const fresh of page.querySelectorAll("[data-live]")) {
    there.add(fresh.id);
    const html = fresh.outerHTML;
    let old = document.getElementById(fresh.id);
    if (!old || shown.get(fresh.id) !== html) {
      const made = document.importNode(fresh, true);
      if (old) { keep(old, made); old.replaceWith(made); scrolled(old, made); }
      else if (last) last.after(made);
      else if (fresh.nextElementSibling && document.getElementById(fresh.nextElementSibling.id)) document.getElementById(fresh.nextElementSibling.id).before(made);
      else { location.reload(); return; }
      shown.set(fresh.id, html);
      if (fresh.id === "graph") centre();
      changed = true;
    }
    last = document.getElementById(fresh.id);
  }
  for (const part of parts()) if (!there.has(part.id)) { part.remove(); shown.delete(part.id); changed = true; }
  mark = page.body.dataset.mark;
  if (changed && page.body.dataset.told !== body.dataset.told) document.getElementById("said").textContent = page.body.dataset.told;
  body.dataset.told = page.body.dataset.told;
  if (focused) { const found = byKey(focused); if (found) found.focus({ preventScroll: true }); }
}

// What a person has unfolded or folded stays so.
function keep(old, made) {
  for (const detail of old.querySelectorAll("details[data-key]")) {
    const twin = [...made.querySelectorAll("details[data-key]")].find((one) => one.dataset.key === detail.dataset.key);
    if (twin && detail.dataset.touched) { twin.open = detail.open; twin.dataset.touched = "1"; }
  }
}

// Output that was at its end follows its end; any other stays where it was.
function scrolled(old, made) {
  const before = old.scrolls || [];
  made.querySelectorAll("pre.output").forEach((one, at) => {
    const was = before[at];
    if (!was || was.atEnd) { if (one.closest(".live-card")) one.scrollTop = one.scrollHeight; }
    else one.scrollTop = was.top;
  });
}
document.addEventListener("scroll", (event) => {
  const part = event.target.closest && event.target.closest("[data-live]");
  if (!part) return;
  part.scrolls = [...part.querySelectorAll("pre.output")].map((one) => ({
    top: one.scrollTop, atEnd: one.scrollTop + one.clientHeight >= one.scrollHeight - 4,
  }));
}, true);
document.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary) summary.parentElement.dataset.touched = "1";
});

// On a narrow screen the drawing begins where the run is.
function centre() {
  const here = document.querySelector(".stage.here");
  const frame = here && here.closest(".scroll");
  if (!frame) return;
  const [at, of] = [here.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollLeft += at.left + at.width / 2 - of.left - of.width / 2;
}
centre();

// The page that is open can be seen among its neighbours.
const open = document.querySelector(".tabs [aria-current]");
if (open) open.parentElement.scrollLeft = open.offsetLeft - (open.parentElement.clientWidth - open.offsetWidth) / 2;

function keyOf(element) {
  if (element.id) return ["id", element.id];
  if (element.getAttribute("href")) return ["href", element.getAttribute("href")];
  const detail = element.closest("details[data-key]");
  return detail ? ["key", detail.dataset.key] : null;
}

function byKey([kind, value]) {
  if (kind === "id") return document.getElementById(value);
  if (kind === "href") return [...document.querySelectorAll("[data-live] a")].find((one) => one.getAttribute("href") === value);
  const detail = [...document.querySelectorAll("details[data-key]")].find((one) => one.dataset.key === value);
  return detail && detail.querySelector("summary");
}

function following(text, lost) {
  const sign = document.getElementById("following");
  sign.hidden = false;
  sign.classList.toggle("lost", lost);
  document.getElementById("following-text").textContent = text;
}

if (body.dataset.events && parts().length) {
  const events = new EventSource(body.dataset.events);
  events.addEventListener("open", () => following("following", false));
  events.addEventListener("moved", (event) => { if (event.data !== mark) load(); });
  events.addEventListener("error", () => following("not connected", true));
  addEventListener("pagehide", () => events.close());
}

// The search of the list works while one types; the address says what is shown.
const search = document.querySelector("form.search");
if (search && document.getElementById("list")) {
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const query = new URLSearchParams(new FormData(search));
      for (const [key, value] of [...query]) if (!value) query.delete(key);
      history.replaceState(null, "", query.size ? "/?" + query : "/");
      load();
    }, 150);
  });
}

// In a list of runs the arrow keys go from one to the next.
document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...document.querySelectorAll("table .row-link")];
  const at = links.indexOf(document.activeElement);
  if (at < 0) return;
  const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
});
