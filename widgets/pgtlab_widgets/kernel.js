// @ts-check
// The toggles that choose a kernel and a CPU, with a line below them: the rule against an option that is not to be had, and
// what it would take.
import { button, h, toolbar } from "./page.js";

/**
 * @typedef {{label: string, selected: boolean, choose: object, rule: string, remedy: string, note: string}} Option
 * @typedef {{label: string, options: Option[]}[]} Choices
 *
 * What else the reader has come to: the option that is pointed at; the option whose rule the line tells, for asking; and
 * what there was to say of the last choice.
 * @typedef {import("./page.js").Reader & {pointed?: string, told?: string, note?: string}} Reader
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
  if (!find(choices, reader.told)?.rule) reader.told = "";
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
  const told = find(choices, reader.told);
  const option = pointed?.rule || pointed?.note ? pointed : told;
  const says = (option ? option.rule || option.note : reader.note) ?? "";
  const way = option?.remedy && option === told;
  const attributes = { "data-remedy": reader.told ?? "", "aria-describedby": `${reader.id}-rule` };
  return h("div", "line", { class: "line" }, [
    h("span", "rule", { id: `${reader.id}-rule` }, says),
    ...(way ? [button("remedy", option.remedy, { choose: option.choose }, attributes)] : []),
  ]);
}

/** The events that the toggles need, of a view with `choices`: for `show()`. */
export const toggling = {
  click(/** @type {any} */ event, /** @type {any} */ { view, reader, root, draw }) {
    const item = event.target.closest("[data-item]")?.dataset.item;
    const option = find(view.choices, event.target.closest("[data-remedy]")?.dataset.remedy ?? item);
    if (!option) return;
    if (option.rule && item) {
      reader.told = item;
      draw();
      root.querySelector("[data-remedy]").focus();
      return true;
    }
    if (!item) root.querySelector(`[data-item="${reader.told}"]`).focus();
    Object.assign(reader, { told: "", note: option.note });
  },

  focusin(/** @type {any} */ event, /** @type {any} */ { view, reader, draw }) {
    const item = event.target.closest("[data-item]")?.dataset.item;
    if (!find(view.choices, item)?.rule || reader.told === item) return;
    reader.told = item;
    draw();
  },

  pointerover(/** @type {any} */ event, /** @type {any} */ { reader, draw }) {
    const over = event.target.closest("button[data-item]")?.dataset.item ?? "";
    if (over === reader.pointed) return;
    reader.pointed = over;
    draw();
  },

  pointerleave(/** @type {any} */ _, /** @type {any} */ { reader, draw }) {
    reader.pointed = "";
    draw();
  },
};
