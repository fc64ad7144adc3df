// @ts-check
// Differences of states, as `differences.py` makes them.

/** @typedef {any[]|{in: Record<string, any>, names?: string[]}} Difference */

/**
 * The names of the parts of a list: the keys of its items if these are different strings, else their places.
 * @param {any[]} list
 */
function names(list) {
  const keys = list.map((item) => item?.key);
  const byKey = new Set(keys).size === keys.length && keys.every((key) => typeof key === "string");
  return byKey ? keys : list.map((_, place) => `${place}`);
}

/**
 * Data with a difference applied: another value, which shares with the old one what is the same.
 * @param {any} data
 * @param {Difference} difference
 * @returns {any}
 */
export function applied(data, difference) {
  if (Array.isArray(difference)) return difference[0];
  const list = Array.isArray(data);
  const had = new Map(list ? names(data).map((name, place) => [name, data[place]]) : Object.entries(data));
  const part = (/** @type {string} */ name) =>
    Object.hasOwn(difference.in, name) ? applied(had.get(name), difference.in[name]) : had.get(name);
  const now = difference.names ?? [...had.keys()];
  return list ? now.map(part) : Object.fromEntries(now.map((name) => [name, part(name)]));
}
