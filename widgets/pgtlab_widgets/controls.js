// @ts-check
// The controls of a view in one line: what is chosen, which unfolds the toolbars; the controls that stay; and a sentence.
import { h } from "./page.js";

/** @typedef {import("./page.js").Wanted} Wanted */

/**
 * One line of controls. The button with what is chosen unfolds the toolbars below the line.
 * @param {import("./page.js").Reader} reader
 * @param {string} key different for each line of a view
 * @param {string} chosen what is chosen, in a few words
 * @param {Wanted[]} folded the toolbars that unfold
 * @param {Wanted[]} stay the toolbars that are always there
 * @param {Wanted[]} says what the end of the line says: it has room for two lines of small letters
 */
export function controls(reader, key, chosen, folded, stay = [], says = []) {
  const open = reader.open[key] ?? false;
  const id = `${reader.id}-${key}`;
  const unfold = { type: "button", class: "unfold", "data-unfold": key, "aria-expanded": `${open}`, "aria-controls": open ? id : null };
  return h("div", key, { class: open ? "controls open" : "controls" }, [
    h("div", "bar", { class: "bar" }, [
      h("button", "unfold", unfold, chosen),
      ...stay,
      h("div", "says", { class: "says" }, says),
    ]),
    ...(open ? [h("div", "toggles", { class: "toggles", id }, folded)] : []),
  ]);
}

/**
 * What the selected options are called, such as `16k · VA 52 · PA 52 · max`.
 * The first option of a quiet choice goes without saying.
 * @param {{short?: string, label: string, quiet?: boolean, options: {label: string, selected: boolean}[]}[]} choices
 */
export const selected = (choices) =>
  choices
    .filter(({ quiet, options }) => !(quiet && options[0].selected))
    .map(({ short, options }) => `${short ? `${short} ` : ""}${options.find((option) => option.selected)?.label ?? "–"}`)
    .join(" · ");
