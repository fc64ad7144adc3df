// @ts-check
// The walk stepper's view: what is translated, the steps, the picture of the tables, and the descriptor's bits.
import { kernel, toggling } from "./kernel.js";
import { button, field, h, picture, show, toolbar } from "./page.js";

/**
 * @typedef {import("./page.js").Picture} Picture
 * @typedef {{label: string, selected: boolean, send: object}[]} Options
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, accesses: Options,
 *   els: Options, presets: string[], step: number, last: number, told: string, picture: Picture|null, word: Picture|null,
 * }} View
 */

/** @param {View} view */
const stepping = ({ step, last, told }) =>
  h("div", "steps", { class: "tools", role: "group", "aria-label": "Steps: left and right arrow keys", "data-steps": true }, [
    button("back", "◀ Back", { back: true }, { "aria-disabled": step === 0 ? true : null }),
    button("forward", "Step ▶", { forward: true }, { "aria-disabled": step === last ? true : null }),
    button("end", "To the end", { end: true }, { "aria-disabled": step === last ? true : null }),
    h("span", "count", {}, `${step} of ${last}`),
  ]);

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...(view.choices.length ? kernel(view.choices, reader) : []),
  field(reader, "Address", "address", view.address),
  h("div", "access", { class: "toggles" }, [toolbar(reader, "Access", view.accesses), toolbar(reader, "From", view.els)]),
  ...(view.presets.length
    ? [
        toolbar(
          reader,
          "Try",
          view.presets.map((name) => ({ label: name, selected: false, send: { preset: name } })),
        ),
      ]
    : []),
  stepping(view),
  h("p", "told", { class: "told", role: "status" }, view.told),
  ...(view.picture
    ? [picture(reader, view.picture, "walk"), ...(view.word ? [picture(reader, view.word, "word")] : [])]
    : [h("p", "stuck", { class: "stuck" }, view.stuck)]),
];

export default show("walk-stepper", body, {
  ...toggling,
  keydown(event, { model }) {
    if (!event.target.closest("[data-steps]")) return;
    const message = /** @type {Record<string, object>} */ ({ ArrowLeft: { back: true }, ArrowRight: { forward: true }, End: { end: true } })[event.key];
    if (!message) return;
    model.send(message);
    event.preventDefault();
    event.stopPropagation();
    return true;
  },
});
