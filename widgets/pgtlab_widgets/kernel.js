// @ts-check
// The controls that choose a kernel and a CPU, in one line. Its end has the rule against an option that is not legal, and
// what would make it legal.
import { controls, selected } from "./controls.js";
import { button, h, toolbar } from "./page.js";

/**
 * `brief` is the rule in short; a `note` is said when an option is chosen, a `hint` only while the pointer is on it.
 * @typedef {{
 *   label: string, selected: boolean, choose: object, rule: string, brief: string, remedy: string, note: string, hint: string,
 * }} Option
 * @typedef {{label: string, short: string, stays: boolean, quiet: boolean, options: Option[]}[]} Choices
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
 * The line of controls. LPA2 stays in it; what else is chosen unfolds.
 * @param {Choices} choices
 * @param {Reader} reader
 */
export function kernel(choices, reader) {
  if (!find(choices, reader.asked)?.rule) reader.asked = "";
  const bar = (/** @type {Choices[number]} */ { label, options, stays }) =>
    toolbar(reader, label, options.map((option) => ({ ...option, note: option.note || option.hint, send: { choose: option.choose } })), stays);
  const [stay, folded] = [choices.filter(({ stays }) => stays), choices.filter(({ stays }) => !stays)];
  return [controls(reader, "kernel", selected(folded), folded.map(bar), stay.map(bar), says(choices, reader))];
}

/**
 * The rule against the option that is pointed at or was asked for, with its remedy; or else the note on the last choice.
 * @param {Choices} choices
 * @param {Reader} reader
 */
function says(choices, reader) {
  const pointed = find(choices, reader.pointed);
  const asked = find(choices, reader.asked);
  const option = pointed?.rule || pointed?.note || (pointed?.hint && !pointed.selected) ? pointed : asked;
  const words = (option ? option.brief || option.note || option.hint : reader.note) ?? "";
  const way = option?.remedy && option === asked;
  const attributes = { "data-remedy": reader.asked ?? "", "aria-describedby": `${reader.id}-rule` };
  return [
    h("span", "rule", { id: `${reader.id}-rule`, class: option?.rule ? "rule refused" : "rule" }, words),
    ...(way ? [button("remedy", option.remedy, { choose: option.choose }, attributes)] : []),
  ];
}

/**
 * In place of a picture: why the kernel does not boot, and the CPUs on which it does.
 * @param {string} why
 * @param {Choices} choices
 */
export function stuck(why, choices) {
  const cpus = choices.find(({ label }) => label === "CPU")?.options.filter(({ hint, selected }) => !hint && !selected) ?? [];
  return h("div", "stuck", { class: "stuck", role: "status" }, [
    h("p", "why", { class: "why" }, why),
    ...(cpus.length
      ? [
          h("p", "boots", { class: "tools" }, [
            h("span", "label", { class: "label" }, "It boots on"),
            ...cpus.map(({ label, choose }) => button(label, label, { choose })),
          ]),
        ]
      : []),
  ]);
}

/**
 * @param {HTMLElement} root
 * @param {string} selector
 */
const focus = (root, selector) => /** @type {HTMLElement|null} */ (root.querySelector(selector))?.focus();

/** The events that the controls need, of a view with `choices`: for `show()`. */
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
