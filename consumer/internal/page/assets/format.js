// Numbers arrive as text and stay it: JavaScript's hold 15 digits.

// digits separates the thousands of a decimal number, whatever its length.
export function digits(text) {
  if (!text) return "–";
  const [whole, fraction] = text.split(".");
  const grouped = whole.replace(/\d(?=(\d{3})+$)/g, "$&,");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

// short rounds a number to a few digits, for an axis.
export function short(number) {
  const size = Math.abs(number);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return number.toExponential(1);
  for (const [unit, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= unit) return Number((number / (name === "k" ? 1e3 : unit)).toPrecision(4)) + name;
  }
  return String(Number(number.toPrecision(6)));
}

export function rate(perSecond) {
  if (perSecond >= 100) return digits(String(Math.round(perSecond)));
  return perSecond === 0 ? "0" : perSecond.toFixed(1);
}

export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function bytes(text) {
  const size = Number(text);
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / 1024 / 1024).toFixed(1)} MiB`;
}

export function plural(text, thing) {
  return `${digits(text)} ${thing}${text === "1" ? "" : "s"}`;
}

// moment is an instant in the reader's zone.
export function moment(text) {
  if (!text) return "–";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const sameDay = at.toDateString() === new Date().toDateString();
  return sameDay ? at.toLocaleTimeString() : at.toLocaleString();
}

// instant is a timestamp of the data, which is in UTC and stays so.
export function instant(text) {
  if (!text) return "–";
  return text.replace("T", " ").replace(/ 00:00:00Z$/, "").replace(/Z$/, " UTC");
}
