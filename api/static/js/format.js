// @ts-check
// Numbers and times as text, those of a kind with the same width, so that nothing moves when they change.

const LOCALE = "en-GB";
/** @type {Map<number, Intl.NumberFormat>} */
const fixed = new Map();
const whole = new Intl.NumberFormat(LOCALE);
// In en-GB a million is a small m, like a minute.
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });
const dateFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });

export const UNKNOWN = "?";
const MINUS = "\u2212";

/** The number of decimals of a price. @param {number} price */
export function decimals(price) {
  const size = Math.abs(price);
  if (!(size > 0) || size >= 1) return 2;
  return size >= 0.01 ? 4 : 6;
}

/** @param {number} value @param {number} digits */
export function number(value, digits) {
  let format = fixed.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    fixed.set(digits, format);
  }
  return format.format(value).replace("-", MINUS);
}

/** @param {number} value */
export const price = (value) => (Number.isFinite(value) ? number(value, decimals(value)) : UNKNOWN);

/** A change of a price, always with its sign. @param {number} value @param {number} [of] the price it belongs to */
export function change(value, of = value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  return signed(value, decimals(of));
}

/** @param {number} value */
export const percent = (value) => (Number.isFinite(value) ? `${signed(value, 2)}%` : UNKNOWN);

/** @param {number} value @param {number} digits */
function signed(value, digits) {
  const text = number(Math.abs(value), digits);
  if (!/[1-9]/.test(text)) return text;
  return (value < 0 ? MINUS : "+") + text;
}

/** @param {number} value */
export const count = (value) => (Number.isFinite(value) ? whole.format(value) : UNKNOWN);

/** A count, shortened if it is long: 12,345 or 1.23M. @param {number} value */
export const big = (value) => (value < 1e6 ? count(Math.round(value)) : compact.format(value));

/** A duration in the unit that suits it. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms == null || !Number.isFinite(ms)) return UNKNOWN;
  const size = Math.abs(ms);
  const sign = ms < 0 ? MINUS : "";
  for (const [unit, length, next] of /** @type {const} */ ([
    ["ms", 1, 1e3], ["s", 1e3, 6e4], ["min", 6e4, 36e5], ["h", 36e5, 864e5], ["d", 864e5, 3.2e10],
  ])) {
    // 999.7 ms is 1.0 s.
    if (Math.round(size / length) * length < next) {
      const digits = unit === "s" && size < 9950 ? 1 : 0;
      return `${sign}${(size / length).toFixed(digits)} ${unit}`;
    }
  }
  return `${sign}${(size / 31557600000).toFixed(1)} y`;
}

/** @param {number} value @param {number} width */
const padded = (value, width) => String(value).padStart(width, "0");

/** Time of day in the viewer's zone. @param {number} ms */
export function clock(ms) {
  const at = new Date(ms);
  return `${padded(at.getHours(), 2)}:${padded(at.getMinutes(), 2)}:${padded(at.getSeconds(), 2)}`;
}

/** Time of day in the viewer's zone, to the millisecond. @param {number} ms */
export const preciseClock = (ms) => `${clock(ms)}.${padded(new Date(ms).getMilliseconds(), 3)}`;

/** The start of a candle: with the day unless it is today. @param {number} ms @param {number} step */
export function moment(ms, step) {
  const time = step < 60_000 ? clock(ms) : clock(ms).slice(0, 5);
  const isToday = new Date(ms).toDateString() === new Date().toDateString();
  return isToday ? time : `${dateFormat.format(ms)} ${time}`;
}

/** A timestamp of the API as UTC, for a title. @param {string} timestamp */
export const utc = (timestamp) => `${timestamp.replace("T", " ").replace("Z", "")} UTC`;

/** @param {number} move */
export const arrow = (move) => (move > 0 ? "▲" : move < 0 ? "▼" : "");

/** @param {number} value */
export const direction = (value) => (value > 0 ? "up" : value < 0 ? "down" : "flat");

/** @param {string} text */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {number} ms */
export const date = (ms) => dateFormat.format(ms);
