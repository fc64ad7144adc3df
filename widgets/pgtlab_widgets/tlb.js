// @ts-check
// The TLB's view: what runs on which hardware, how far it is, and the counts.
import { h, picture, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{
 *   choices: {label: string, options: {label: string, selected: boolean, send: object, note: string}[]}[],
 *   note: string, status: string, done: number, accesses: number, next: object|null,
 *   picture: import("./page.js").Picture,
 * }} View
 */

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  h("div", "choices", { class: "toggles" }, view.choices.map(({ label, options }) => toolbar(reader, label, options))),
  h("p", "note", { class: "note" }, view.note),
  h("div", "tools", { class: "tools" }, [
    h("progress", "progress", {
      max: view.accesses,
      value: view.next ? view.done : view.accesses,
      "aria-label": "Accesses so far",
      "data-next": view.next && JSON.stringify(view.next),
    }),
    h("span", "status", { role: "status" }, view.status),
  ]),
  picture(reader, view.picture),
];

export default show("tlb", body);
