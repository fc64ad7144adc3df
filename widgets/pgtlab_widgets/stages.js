// @ts-check
// The stages of a view: numbered, each with a line that says how it stands, and unfolded one by one.
import { h } from "./page.js";

/** @typedef {import("./page.js").Wanted} Wanted */

/**
 * A stage. What is folded is not on the page.
 * @param {import("./page.js").Reader} reader
 * @param {number} number
 * @param {string} title
 * @param {Wanted} says how it stands
 * @param {() => Wanted[]} content
 */
export function stage(reader, number, title, says, content) {
  const key = `stage ${number}`;
  reader.open[key] ??= number === 1;
  const open = reader.open[key];
  const id = `${reader.id}-stage-${number}`;
  const head = { type: "button", class: "unfold", "data-unfold": key, "aria-expanded": `${open}`, "aria-controls": open ? id : null };
  return h("section", key, { class: open ? "stage open" : "stage", "aria-label": title }, [
    h("div", "head", { class: "stage-head" }, [h("button", "unfold", head, `${number} ${title}`), says]),
    ...(open ? [h("div", "content", { class: "content", id }, content())] : []),
  ]);
}
