// @ts-check
// The walk stepper's view: what to translate, the steps, the picture of the tables, and the word of the current step.
import { controls } from "./controls.js";
import { kernel, stuck, toggling } from "./kernel.js";
import { button, field, h, picture, table, toolbar } from "./page.js";
import { playing, stepping } from "./play.js";
import { answering, asking, together } from "./quiz.js";
import { show } from "./show.js";

/**
 * @typedef {{label: string, selected: boolean, send: object, rule?: string}[]} Options
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, accesses: Options,
 *   els: Options, trials: {label: string, options: Options}[], step: number, last: number, reached: number, faults: boolean, status: string,
 *   pseudocode: string, picture: import("./page.js").Picture|null, word: {name: string, digits: string, rows: string[][]}|null,
 *   edits: string[], undo: string, quiz: import("./quiz.js").Quiz|null,
 * }} View
 *
 * @typedef {import("./kernel.js").Reader} Reader
 */

/**
 * @param {View} view
 * @returns {import("./play.js").Track}
 */
const track = ({ step, reached }) => ({ name: "step", at: step, first: 0, last: reached });

/**
 * @param {View} view
 * @param {Reader} reader
 */
const steps = (view, reader) =>
  stepping(track(view), reader, "Steps", view.faults ? "Run to the fault" : "Run to the end", [
    h("span", "count", { class: "label" }, `Step ${view.step} of ${view.last}`),
  ]);

/** A shape of a step is a button that goes to that step. */
const stepped = (/** @type {import("./page.js").Shape} */ { attributes }) =>
  "data-step" in attributes ? { role: "button", "data-ahead": true, "data-send": JSON.stringify({ step: Number(attributes["data-step"]) }) } : null;

/**
 * The word of the step, what can be changed in it, and the functions that decide the step.
 * @param {View} view
 */
function word({ word, edits, undo, pseudocode }) {
  const rows = word ? [table("fields", `${word.name} ${word.digits}`, ["bits", "field", "value", "meaning"], word.rows)] : [];
  const change = edits.map((name) => button(name, name, { edit: name }));
  return h("div", "word", { class: "step-word", role: "region", "aria-label": "The word of this step", tabindex: 0 }, [
    h("div", "edits", { class: "tools", role: "group", "aria-label": "Change this entry" }, [
      ...(change.length ? [h("span", "label", { class: "label" }, "Change it"), ...change] : []),
      ...(undo ? [button("undo", `↶ Undo: ${undo}`, { undo: true })] : []),
    ]),
    ...rows,
    h("p", "pseudocode", { class: "pseudocode" }, pseudocode),
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
  steps(view, reader),
  ...asking(view.quiz, reader, [button("another", "Another walk", { another: true })]),
  h("p", "status", { class: "status", role: "status", hidden: view.quiz?.blank ? true : null }, view.status),
  h("div", "walked", { class: "walked" }, [...(view.picture ? [picture(reader, view.picture, "walk", stepped)] : []), ...(view.quiz?.blank ? [] : [word(view)])]),
];

/**
 * @param {View} view
 * @param {Reader} reader
 */
const body = (view, reader) => [
  ...(view.choices.length ? kernel(view.choices, reader) : []),
  ...(view.stuck ? [stuck(view.stuck, view.choices)] : walked(view, reader)),
];

const steppable = playing(track);

export default show("walk-stepper", body, together(answering, steppable, toggling));
