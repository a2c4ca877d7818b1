import { short } from "./format.js";

const namespace = "http://www.w3.org/2000/svg";

function node(name, attributes, text) {
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// ticks are round numbers from low to high, about as many as asked.
export function ticks(low, high, about) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Not counted from first to last: from 2^53 on, a number plus one is itself.
  return Array.from({ length: Math.max(0, Math.min(last - first + 1, 2 * about)) }, (_, i) => (first + i) * step);
}

// frame draws the axes, and returns where a pair of values is in pixels. Plots
// are drawn at their size on the screen, so that their text keeps its own.
function frame(svg, { xs, ys, low, high, left, right, place = (x) => x }) {
  const { width, height } = svg.getBoundingClientRect();
  const labels = ys.map(short);
  const margin = { left: 10 + 7 * Math.max(...labels.map((l) => l.length)), right: 14, top: 10, bottom: 24 };
  const [begin, end] = [place(left), place(right)];
  const x = (v) => margin.left + ((place(v) - begin) / (end - begin)) * (width - margin.left - margin.right);
  const y = (v) => height - margin.bottom - ((v - low) / (high - low)) * (height - margin.top - margin.bottom);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  ys.forEach((v, i) => {
    svg.append(node("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(v), y2: y(v) }));
    svg.append(node("text", { x: margin.left - 6, y: y(v) + 4, "text-anchor": "end" }, labels[i]));
  });
  for (const v of xs) {
    svg.append(node("text", { x: x(v), y: height - 6, "text-anchor": "middle" }, short(v)));
  }
  return { x, y, width };
}

const columns = (svg) => Math.max(2, Math.round(svg.getBoundingClientRect().width / 110));

// bars plots about how many lie between two bounds each.
export function bars(svg, { log, bars: all }) {
  const most = Math.max(...all.map((b) => b.count));
  const [left, right] = [all[0].low, all.at(-1).high];
  const { x, y } = frame(svg, {
    low: 0, high: most * 1.05, left, right, ys: ticks(0, most, 4),
    xs: log ? powers(left, right, columns(svg)) : ticks(left, right, columns(svg)),
    place: log ? Math.log : undefined,
  });
  for (const b of all) {
    const [from, to, top] = [x(b.low), x(b.high), y(b.count)];
    const gap = to - from > 4 ? 1 : 0;
    svg.append(node("rect", { class: "bar", x: from + gap / 2, y: top, width: Math.max(0.5, to - from - gap), height: y(0) - top }));
  }
}

// powers are powers of ten from low to high, at most as many as asked.
function powers(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first + 1) / most));
  const found = [];
  for (let i = first; i <= last; i += step) found.push(10 ** i);
  return found;
}

// line plots pairs of numbers, in the order of the first.
export function line(svg, points) {
  const [first, last] = [points[0][0], points.at(-1)[0]];
  let [low, high] = [Math.min(...points.map((p) => p[1])), Math.max(...points.map((p) => p[1]))];
  const room = (high - low) * 0.1 || Math.abs(high) * 0.05 || 1;
  [low, high] = [low - room, high + room];
  const right = last > first ? last : first + 1;
  const { x, y } = frame(svg, {
    low, high, left: first, right, ys: ticks(low, high, 4),
    xs: ticks(first, right, columns(svg)).filter(Number.isInteger),
  });
  const at = points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`);
  svg.append(node("polyline", { class: "line", points: at.join(" ") }));
  const [cx, cy] = at.at(-1).split(",");
  svg.append(node("circle", { class: "dot", cx, cy, r: 4 }));
}
