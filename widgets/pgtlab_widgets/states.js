// @ts-check
// The state of a widget in its model: some traits, its parts, which Python sends as differences.
import { applied } from "./differences.js";
import { showAgain } from "./shown_again.js";

/**
 * @typedef {import("./page.js").Model} Model
 * @typedef {Record<string, any>} Parts what is in each part
 */

// The one that changes most last: `base_view` stays while something in it is chosen, and the bug lab's `run_view` while the
// kernel is the same.
const PARTS = ["about_view", "base_view", "run_view", "view"];
export const CHANGES = PARTS.map((part) => `change:${part}`).join(" ");

/**
 * Parts with differences applied.
 * @param {Parts} parts
 * @param {Record<string, import("./differences.js").Difference>} changes
 */
export const changed = (parts, changes) =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, name in changes ? applied(part, changes[name]) : part]));

/** @type {Record<string, {text: string, part: any}>} the parts of the widget: each has its own copy of this module */
const known = {};

/**
 * The parts of a model. What has not changed is the same object as before, in them and within.
 * @param {Model} model
 * @returns {Parts}
 */
export function read(model) {
  for (const name of PARTS) {
    const text = model.get(name) ?? "{}";
    if (known[name]?.text !== text) known[name] = { text, part: JSON.parse(text) };
  }
  return Object.fromEntries(PARTS.map((name) => [name, known[name].part]));
}

/**
 * All parts together.
 * @param {Parts} parts
 */
export const whole = (parts) => Object.assign({}, ...PARTS.map((name) => parts[name]));

/**
 * Apply what Python sends to a widget's model, once for all views of it on the page; a notebook is saved with it. If something
 * was missed, ask for the whole.
 * @param {{model: Model}} widget
 */
export function follow({ model }) {
  showAgain(model);
  model.on("msg:custom", ({ number, changes }) => {
    const had = model.get("number");
    if (!changes || number === had) return;
    if (number !== had + 1) return model.send({ whole: true });
    const now = changed(read(model), changes);
    for (const name in changes) {
      known[name] = { text: JSON.stringify(now[name]), part: now[name] };
      model.set(name, known[name].text);
    }
    model.set("number", number);
  });
}
