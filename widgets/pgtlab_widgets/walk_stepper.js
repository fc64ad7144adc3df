// @ts-check
// The walk stepper's view: what to translate, the steps, the picture of the tables, and the word of the current step.
import { controls } from "./controls.js";
import { kernel, stuck, toggling } from "./kernel.js";
import { button, field, h, picture, table, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{label: string, selected: boolean, send: object, rule?: string}[]} Options
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, accesses: Options,
 *   els: Options, trials: {label: string, options: Options}[], step: number, last: number, faults: boolean, status: string,
 *   picture: import("./page.js").Picture|null, word: {name: string, digits: string, rows: string[][]}|null,
 *   edits: string[], undo: string,
 * }} View
 *
 * What else is known of the reader: whether the steps are being played, how fast, and what waits for the next one.
 * @typedef {import("./kernel.js").Reader & {playing?: boolean, speed?: number, timer?: number}} Reader
 *
 * @typedef {import("./page.js").Context} Context
 */

const SPEEDS = [0.5, 1, 2, 4];
const PACE = 1600; // milliseconds for a step at speed 1

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

/**
 * @param {View} view
 * @param {Reader} reader
 */
function stepping(view, reader) {
  const { step, last } = view;
  const move = (/** @type {string} */ key, /** @type {string} */ label, /** @type {boolean} */ done) =>
    button(key, label, MOVES[key](view), { "aria-disabled": done ? true : null, "aria-keyshortcuts": key });
  const playing = reader.playing && step < last;
  return h("div", "steps", { class: "tools", role: "group", "aria-label": "Steps", "data-steps": true }, [
    move("Home", "|◀ Start", step === 0),
    move("ArrowLeft", "◀ Back", step === 0),
    move("ArrowRight", "Step ▶", step === last),
    h("button", "play", { type: "button", class: "play", "data-play": true }, playing ? "❚❚ Pause" : "▶ Play"),
    h("button", "speed", { type: "button", "data-speed": true, title: "The speed of playing" }, `Speed ${SPEEDS[reader.speed ?? 1]}×`),
    move("End", view.faults ? "Run to the fault ▶|" : "Run to the end ▶|", step === last),
    h("span", "count", { class: "label" }, `Step ${step} of ${last}`),
  ]);
}

/**
 * Take the next step and wait, until the end, a pause, or the view has gone.
 * @param {Context} context
 */
function play(context) {
  const { view, reader, root, model, draw } = context;
  clearTimeout(reader.timer);
  if (!reader.playing || !root.isConnected) return;
  if (view.step >= view.last) {
    reader.playing = false;
    return draw();
  }
  model.send({ step: view.step + 1 });
  reader.timer = setTimeout(() => play(context), PACE / SPEEDS[reader.speed ?? 1]);
}

/** A shape of a step is a button that goes to that step. */
const stepped = (/** @type {import("./page.js").Shape} */ { attributes }) =>
  "data-step" in attributes ? { role: "button", "data-send": JSON.stringify({ step: Number(attributes["data-step"]) }) } : null;

/**
 * The word of the step, and what can be changed in it.
 * @param {View} view
 */
function word({ word, edits, undo }) {
  const rows = word ? [table("fields", `${word.name} ${word.digits}`, ["bits", "field", "value", "meaning"], word.rows)] : [];
  const change = edits.map((name) => button(name, name, { edit: name }));
  return h("div", "word", { class: "word", role: "region", "aria-label": "The word of this step", tabindex: 0 }, [
    h("div", "edits", { class: "tools", role: "group", "aria-label": "Change this entry" }, [
      ...(change.length ? [h("span", "label", { class: "label" }, "Change it"), ...change] : []),
      ...(undo ? [button("undo", `↶ Undo: ${undo}`, { undo: true })] : []),
    ]),
    ...rows,
  ]);
}

/**
 * What is translated: the address, and in the controls that unfold how, and other translations to try.
 * @param {View} view
 * @param {Reader} reader
 */
function asked({ address, accesses, els, trials }, reader) {
  const at = (/** @type {Options} */ options) => options.find(({ selected }) => selected)?.label;
  const trial = at(trials.flatMap(({ options }) => options));
  const chosen = `${at(accesses)} from ${at(els)}${trial ? ` · ${trial}` : ""}`;
  const folded = [
    toolbar(reader, "Access", accesses),
    toolbar(reader, "From", els),
    ...trials.map(({ label, options }) => toolbar(reader, label, options)),
  ];
  return controls(reader, "asked", chosen, folded, [field(reader, "Address", "address", address)]);
}

/**
 * @param {View} view
 * @param {Reader} reader
 */
const walked = (view, reader) => [
  asked(view, reader),
  stepping(view, reader),
  h("p", "status", { class: "status", role: "status" }, view.status),
  h("div", "walked", { class: "walked" }, [...(view.picture ? [picture(reader, view.picture, "walk", stepped)] : []), word(view)]),
];

/**
 * @param {View} view
 * @param {Reader} reader
 */
const body = (view, reader) => [
  ...(view.choices.length ? kernel(view.choices, reader) : []),
  ...(view.stuck ? [stuck(view.stuck, view.choices)] : walked(view, reader)),
];

export default show("walk-stepper", body, {
  ...toggling,
  click(event, context) {
    const { view, reader, draw } = context;
    if (event.target.closest("[data-play]")) {
      reader.playing = !(reader.playing && view.step < view.last);
      if (reader.playing && view.step >= view.last) context.model.send({ step: 0 });
      draw();
      reader.timer = setTimeout(() => play(context), PACE / SPEEDS[reader.speed ?? 1] / 2);
      return true;
    }
    if (event.target.closest("[data-speed]")) {
      reader.speed = ((reader.speed ?? 1) + 1) % SPEEDS.length;
      draw();
      return true;
    }
    if (event.target.closest("[data-steps] button")) reader.playing = false;
    return toggling.click(event, context);
  },
  keydown(event, { view, reader, model }) {
    if (!event.target.closest("[data-steps]")) return;
    const move = MOVES[event.key]?.(view);
    if (!move) return;
    reader.playing = false;
    model.send(move);
    event.preventDefault();
    event.stopPropagation();
    return true;
  },
});
