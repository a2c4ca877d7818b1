import { bytes, digits, duration, instant, moment, plural, rate, short } from "./format.js";
import { bars, line } from "./plot.js";

// Past this without a word from the consumer, which speaks at least every 3 s,
// the connection is gone although nothing has closed it.
const silence = 8000;
// How long to wait where the browser has given up connecting by itself.
const again = 2000;
// How often what is shown may change, in milliseconds.
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const between = () => (calm.matches ? 2000 : 100);
// How often the news are read out at most.
const newsEvery = 10000;
const mostPoints = 512;

const $ = (id) => document.getElementById(id);

const known = { snapshot: null, look: null, course: [], prices: null };
let build = "";
let events = null;
let heard = 0; // when, by performance.now()
let lostAt = null;
let starting = false; // the consumer is
let paused = false;

// say changes a text only where it differs: what is read out must not be read
// twice, and what is selected stays so.
function say(id, text) {
  const element = $(id);
  if (element.textContent !== text) element.textContent = text;
}

function show(id, text) {
  say(id, text);
  $(id).hidden = text === "";
}

// The connection.

function connect() {
  events?.close();
  heard = performance.now();
  const mine = new EventSource("events");
  events = mine;
  const on = (name, take) =>
    mine.addEventListener(name, (event) => {
      heard = performance.now();
      if (mine !== events) return;
      if (event.data) take(JSON.parse(event.data));
      schedule();
    });
  on("hello", greet);
  on("course", begin);
  on("snapshot", advance);
  on("distribution", (prices) => {
    known.prices = prices;
  });
  on("look", (look) => {
    starting = false;
    tell(known.look, look);
    known.look = look;
  });
  on("beat", () => {});
  mine.addEventListener("error", () => {
    if (mine !== events) return;
    lose();
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === events && connect(), again);
  });
}

setInterval(() => {
  if (performance.now() - heard < silence) return;
  lose();
  connect();
}, 1000);

function greet(hello) {
  if (build && build !== hello.build) {
    location.reload();
    return;
  }
  build = hello.build;
  say("version", hello.version);
  starting = hello.starting;
  if (lostAt) read("Connected again.");
  lostAt = null;
  showConnection();
}

function lose() {
  if (lostAt) return;
  lostAt = new Date();
  showConnection();
}

function showConnection() {
  const state = lostAt ? "lost" : build === "" ? "connecting" : paused ? "paused" : "live";
  const element = $("connection");
  element.dataset.state = state;
  say("connection", { lost: "Connection lost", connecting: "Connecting…", paused: "Paused", live: "Live" }[state]);
  show("lost", lostAt ? `No connection to the consumer since ${lostAt.toLocaleTimeString()}. The numbers below are from before. This page connects again by itself.` : "");
  document.title = lostAt ? "Connection lost – streamgauge" : "streamgauge";
}

// What the consumer tells.

function begin(course) {
  const points = course.points.map(([revision, count, mean]) => ({ revision: Number(revision), count: Number(count), mean }));
  // A consumer that was started anew knows less than this page.
  const goesOn = points.length > 0 && known.snapshot?.database === course.database && Number(known.snapshot.count) <= points.at(-1).count;
  const before = goesOn ? known.course.filter((p) => p.revision < points[0].revision) : [];
  known.course = [...before, ...points];
}

function advance(snapshot) {
  known.snapshot = snapshot;
  if (!snapshot.mean) return;
  const next = { revision: Number(snapshot.revision), count: Number(snapshot.count), mean: snapshot.mean };
  if (known.course.length && known.course.at(-1).revision >= next.revision) return;
  known.course.push(next);
  if (known.course.length > mostPoints) {
    known.course = known.course.filter((_, i) => i % 2 === 0 || i === known.course.length - 1);
  }
}

// The news, for those who do not see the page: loads that were finished, and
// the connection. Numbers that move are not read out.

let pending = [];
let reading = null;

function read(text) {
  pending.push(text);
  if (reading) return;
  const flush = () => {
    if (pending.length === 0) {
      reading = null;
      return;
    }
    say("news", pending.length > 3 ? `${pending.length} loads were finished.` : pending.join(" "));
    pending = [];
    reading = setTimeout(flush, newsEvery);
  };
  flush();
}

function tell(before, now) {
  if (!before?.recent || !now.recent) return;
  const open = new Set(before.recent.loads.filter((l) => !l.completed_at).map((l) => l.id));
  for (const load of now.recent.loads) {
    if (load.completed_at && open.has(load.id)) {
      read(`${load.name} is loaded: ${plural(load.rows, "row")}, ${digits(load.rejected)} rejected.`);
    }
  }
}

// What is shown.

let scheduled = null;
let drawn = -Infinity;

function schedule() {
  if (paused || scheduled || document.hidden) return;
  scheduled = setTimeout(() => {
    scheduled = null;
    drawn = performance.now();
    if (!paused) draw();
  }, Math.max(0, drawn + between() - performance.now()));
}

function draw() {
  drawFigures();
  drawLook();
  drawCourse();
  drawPrices();
}

function drawFigures() {
  const s = known.snapshot;
  if (!s) return;
  for (const id of ["mean", "count", "min", "max", "p50", "p95", "p99", "stddev", "rows", "nulls", "rejected", "dead", "revision"]) {
    say(id, digits(s[id]));
  }
  say("first", instant(s.first));
  say("last", instant(s.last));
  say("source", s.source || "–");
  say("database", s.database);
  say("updated", moment(s.updated_at));
  $("empty").hidden = s.revision !== "0";
}

function drawLook() {
  const look = known.look;
  if (starting) show("problems", "The consumer is starting: it is not connected to NATS and PostgreSQL yet.");
  if (starting || !look) return;
  say("rate", rate(look.rate));
  const problems = [];
  if (look.queue) {
    const { batches, oldest } = look.queue;
    say("lag", batches === "0" ? "none" : `${plural(batches, "batch").replace("batchs", "batches")}, ${duration(oldest)}`);
    $("lag").title = `${bytes(look.queue.bytes)} in the stream`;
  } else {
    problems.push("NATS does not answer: the lag is unknown.");
  }
  if (look.recent) {
    drawLoads(look.recent);
    drawRejects(look.recent);
    drawDead(look.recent);
  } else {
    problems.push("PostgreSQL does not answer: the lists below are from before.");
  }
  show("problems", problems.join(" "));
}

// fill replaces a table's rows where they have changed.
const filled = {};

function fill(id, data, row) {
  const text = JSON.stringify(data);
  if (filled[id] === text) return;
  filled[id] = text;
  $(id).tBodies[0].replaceChildren(...data.map((entry) => {
    const tr = document.createElement("tr");
    tr.append(...row(entry));
    return tr;
  }));
}

function make(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat());
  return made;
}

function drawLoads({ loads, sources, under_way: underWay }) {
  say("loads-caption", sources === "0" ? "None yet." :
    `${plural(sources, "source")}, ${underWay === "0" ? "all complete" : `${digits(underWay)} under way`}${Number(sources) > loads.length ? `; the latest ${loads.length}` : ""}`);
  fill("loads", loads, (load) => {
    const state = load.completed_at ? `${digits(load.batches)}, complete ${moment(load.completed_at)}` : `${digits(load.done)} of ${digits(load.batches)}`;
    const bar = make("progress", [], { max: load.batches, value: load.done, "aria-label": `Batches of ${load.name} committed` });
    return [
      make("th", make("bdi", load.name), { scope: "row" }),
      make("td", load.completed_at ? state : [bar, state]),
      make("td", digits(load.rows), { class: "number" }),
      make("td", digits(load.rejected), { class: "number" }),
    ];
  });
}

function drawRejects({ rejects }) {
  const all = known.snapshot?.rejected ?? "0";
  say("rejects-caption", rejects.length === 0 ? "None." :
    `${plural(all, "record")} not corrected${Number(all) > rejects.length ? `; the latest ${rejects.length}` : ""}`);
  fill("rejects", rejects, (reject) => [
    make("th", [make("bdi", reject.name), `, line ${digits(reject.line)}`], { scope: "row" }),
    make("td", [make("bdi", reject.column ? `${reject.column}: ${reject.reason}` : reject.reason), make("code", make("bdi", reject.record))]),
  ]);
}

function drawDead({ dead }) {
  $("dead-section").hidden = dead.length === 0;
  const all = known.snapshot?.dead ?? "0";
  say("dead-caption", `${plural(all, "message")} set aside whole${Number(all) > dead.length ? `; the latest ${dead.length}` : ""}`);
  fill("dead-table", dead, (d) => [make("th", d.id, { scope: "row" }), make("td", make("bdi", d.reason))]);
}

function drawCourse() {
  const points = known.course;
  if (points.length === 0) {
    $("course").replaceChildren();
    say("course-text", "No prices.");
    fill("course-table", [], () => []);
    return;
  }
  line($("course"), points.map((p) => [p.count, Number(p.mean)]));
  const [first, last] = [points[0], points.at(-1)];
  say("course-text", points.length === 1 ? `${last.mean} at ${plural(String(last.count), "price")}.` :
    `From ${first.mean} at ${plural(String(first.count), "price")} to ${last.mean} at ${digits(String(last.count))}.`);
  if ($("course-table").closest("details").open) drawCourseTable();
}

function drawCourseTable() {
  const points = known.course;
  const step = Math.max(1, (points.length - 1) / 11);
  const picked = points.length <= 12 ? points : Array.from({ length: 12 }, (_, i) => points[Math.round(i * step)]);
  fill("course-table", picked.map((p) => [p.count, p.mean]), ([count, mean]) => [
    make("th", digits(String(count)), { scope: "row" }),
    make("td", digits(mean)),
  ]);
}

function drawPrices() {
  const all = known.prices?.bars ?? [];
  $("prices-section").hidden = all.length === 0;
  if (all.length === 0) return;
  bars($("prices"), known.prices);
  const total = all.reduce((sum, b) => sum + b.count, 0);
  const share = (b) => `${((100 * b.count) / total).toFixed(1)} %`;
  const most = all.reduce((a, b) => (b.count > a.count ? b : a));
  say("prices-text", `Densest at ${range(most)}, with ${share(most)} of the prices.${known.prices.log ? " The axis is logarithmic." : ""}`);
  if (!$("prices-table").closest("details").open) return;
  fill("prices-table", all, (b) => [
    make("th", range(b), { scope: "row" }),
    make("td", digits(String(Math.round(b.count))), { class: "number" }),
    make("td", share(b), { class: "number" }),
  ]);
}

function range(b) {
  if (b.below) return `up to ${short(b.high)}`;
  return b.above ? `above ${short(b.low)}` : `${short(b.low)} to ${short(b.high)}`;
}

$("course-table").closest("details").addEventListener("toggle", drawCourseTable);
$("prices-table").closest("details").addEventListener("toggle", drawPrices);

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  showConnection();
  schedule();
});

document.addEventListener("visibilitychange", schedule);
const resized = new ResizeObserver(() => {
  if (paused) return;
  drawCourse();
  drawPrices();
});
resized.observe($("course"));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", schedule);

connect();
