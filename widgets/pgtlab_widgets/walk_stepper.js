// @ts-check
// The walk stepper's view: what to translate, the steps, the picture of the tables, and the bits of one word.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, field, h, picture, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{label: string, selected: boolean, send: object, rule?: string}[]} Options
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, accesses: Options,
 *   els: Options, trials: Options, step: number, last: number, status: string,
 *   picture: import("./page.js").Picture|null, word: import("./page.js").Picture|null,
 * }} View
 */

/**
 * The messages of keys and buttons. One step is relative, so that two fast presses are two steps.
 * @type {Record<string, (view: View) => object>}
 */
const MOVES = {
  Home: () => ({ step: 0 }),
  ArrowLeft: () => ({ by: -1 }),
  ArrowRight: () => ({ by: 1 }),
  End: ({ last }) => ({ step: last }),
};

/** @param {View} view */
function stepping(view) {
  const { step, last } = view;
  const move = (/** @type {string} */ key, /** @type {string} */ label, /** @type {boolean} */ done) =>
    button(key, label, MOVES[key](view), { "aria-disabled": done ? true : null, "aria-keyshortcuts": key });
  return h("div", "steps", { class: "tools", role: "group", "aria-label": "Steps", "data-steps": true }, [
    move("Home", "|◀ Start", step === 0),
    move("ArrowLeft", "◀ Back", step === 0),
    move("ArrowRight", "Step ▶", step === last),
    move("End", "End ▶|", step === last),
    h("span", "count", { class: "label" }, `Step ${step} of ${last}`),
    h("span", "keys", { class: "note" }, "← and → step, Home and End jump"),
  ]);
}

/** A shape of a step is a button that goes to that step. */
const stepped = (/** @type {import("./page.js").Shape} */ { attributes }) =>
  "data-step" in attributes ? { role: "button", "data-send": JSON.stringify({ step: Number(attributes["data-step"]) }) } : null;

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const walked = (view, reader) => [
  field(reader, "Address", "address", view.address),
  h("div", "access", { class: "toggles" }, [toolbar(reader, "Access", view.accesses), toolbar(reader, "From", view.els)]),
  toolbar(reader, "Try", view.trials),
  stepping(view),
  h("p", "status", { class: "status", role: "status" }, view.status),
  ...(view.picture ? [picture(reader, view.picture, "walk", stepped)] : []),
  h("div", "word", { class: "word" }, view.word ? [picture(reader, view.word, "word")] : []),
];

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...(view.choices.length ? kernel(view.choices, reader) : []),
  ...(view.stuck ? [stuck(view.stuck, view.choices)] : walked(view, reader)),
];

export default show("walk-stepper", body, {
  ...toggling,
  keydown(event, { view, model }) {
    if (!event.target.closest("[data-steps]")) return;
    const move = MOVES[event.key]?.(view);
    if (!move) return;
    model.send(move);
    event.preventDefault();
    event.stopPropagation();
    return true;
  },
});
