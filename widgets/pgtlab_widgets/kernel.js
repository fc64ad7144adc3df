// @ts-check
// The toggles that choose a kernel and a CPU, and below them a line: the rule against an option that is not legal, and what
// would make it legal.
import { button, h, toolbar } from "./page.js";

/**
 * @typedef {{label: string, selected: boolean, choose: object, rule: string, remedy: string, note: string}} Option
 * @typedef {{label: string, options: Option[]}[]} Choices
 *
 * What else is known of the reader: the option under the pointer; the greyed option that was pressed or focused, whose rule
 * the line shows; and the note on the last choice.
 * @typedef {import("./page.js").Reader & {pointed?: string, asked?: string, note?: string}} Reader
 *
 * @typedef {import("./page.js").Context} Context
 */

/**
 * The option called `item`.
 * @param {Choices} choices
 * @param {string|undefined} item
 */
function find(choices, item) {
  return choices.flatMap(({ label, options }) => options.filter((o) => `${label}/${o.label}` === item))[0];
}

/**
 * The toggles, and the line.
 * @param {Choices} choices
 * @param {Reader} reader
 */
export function kernel(choices, reader) {
  if (!find(choices, reader.asked)?.rule) reader.asked = "";
  const toolbars = choices.map(({ label, options }) =>
    toolbar(reader, label, options.map((option) => ({ ...option, send: { choose: option.choose } }))),
  );
  return [h("div", "toggles", { class: "toggles" }, toolbars), line(choices, reader)];
}

/**
 * @param {Choices} choices
 * @param {Reader} reader
 */
function line(choices, reader) {
  const pointed = find(choices, reader.pointed);
  const asked = find(choices, reader.asked);
  const option = pointed?.rule || pointed?.note ? pointed : asked;
  const says = (option ? option.rule || option.note : reader.note) ?? "";
  const way = option?.remedy && option === asked;
  const attributes = { "data-remedy": reader.asked ?? "", "aria-describedby": `${reader.id}-rule` };
  return h("div", "line", { class: "line" }, [
    h("span", "rule", { id: `${reader.id}-rule` }, says),
    ...(way ? [button("remedy", option.remedy, { choose: option.choose }, attributes)] : []),
  ]);
}

/**
 * @param {HTMLElement} root
 * @param {string} selector
 */
const focus = (root, selector) => /** @type {HTMLElement|null} */ (root.querySelector(selector))?.focus();

/** The events that the toggles need, of a view with `choices`: for `show()`. */
export const toggling = {
  click(/** @type {any} */ event, /** @type {Context} */ { view, reader, root, draw }) {
    const item = event.target.closest("[data-item]")?.dataset.item;
    const option = find(view.choices, event.target.closest("[data-remedy]")?.dataset.remedy ?? item);
    if (!option) return;
    if (option.rule && item) {
      reader.asked = item;
      draw();
      focus(root, "[data-remedy]");
      return true;
    }
    if (!item) focus(root, `[data-item="${reader.asked}"]`);
    Object.assign(reader, { asked: "", note: option.note });
  },

  focusin(/** @type {any} */ event, /** @type {Context} */ { view, reader, draw }) {
    const item = event.target.closest("[data-item]")?.dataset.item;
    if (!find(view.choices, item)?.rule || reader.asked === item) return;
    reader.asked = item;
    draw();
  },

  pointerover(/** @type {any} */ event, /** @type {Context} */ { reader, draw }) {
    const over = event.target.closest("button[data-item]")?.dataset.item ?? "";
    if (over === reader.pointed) return;
    reader.pointed = over;
    draw();
  },

  pointerleave(/** @type {any} */ _, /** @type {Context} */ { reader, draw }) {
    reader.pointed = "";
    draw();
  },
};
