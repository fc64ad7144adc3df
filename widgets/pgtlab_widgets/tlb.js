// @ts-check
// The TLB's view: a small TLB with its entries, access by access; or what a long trace costs, and how far it is counted.
import { controls, selected } from "./controls.js";
import { h, picture, sending, toolbar } from "./page.js";
import { playing, stepping } from "./play.js";
import { show } from "./show.js";

/**
 * @typedef {import("./page.js").Wanted} Wanted
 * @typedef {{label: string, selected: boolean, send: object, note?: string}[]} Options
 * @typedef {{access: number, last: number}} Entries
 * @typedef {{done: number, accesses: number}} Costs
 * @typedef {{
 *   part: string, parts: Options, choices: {label: string, short: string, options: Options, ahead: boolean}[], note: string, status: string,
 *   next: object|null, picture: import("./page.js").Picture,
 * } & Entries & Costs} View
 */

/**
 * @param {View} view
 * @returns {import("./play.js").Track}
 */
const track = ({ access, last }) => ({ name: "access", at: access, first: 1, last });

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const entries = (view, reader) => [
  stepping(track(view), reader, "Accesses", "End", [h("span", "note", { class: "note" }, view.note)]),
  h("p", "status", { class: "unseen", role: "status" }, view.status),
  picture(reader, view.picture, "entries", sending("access", `${view.access}`)),
];

/**
 * How far it is counted, and then what was: the row is always there, so that nothing below it moves.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const costs = (view, reader) => [
  h("div", "tools", { class: "tools counts", "data-next": view.next && JSON.stringify(view.next) }, [
    ...(view.next ? [h("progress", "progress", { max: view.accesses, value: view.done, "aria-label": "Accesses so far" })] : []),
    h("span", "note", { class: "note" }, view.note),
    h("span", "status", { class: "unseen", role: "status" }, view.status),
  ]),
  picture(reader, view.picture, "costs"),
];

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  controls(
    reader,
    "choices",
    selected(view.choices),
    view.choices.map(({ label, options, ahead }) => toolbar(reader, label, options, ahead)),
    [toolbar(reader, "Show", view.parts)],
  ),
  ...(view.part === "entries" ? entries(view, reader) : costs(view, reader)),
];

export default show("tlb", body, playing(track));
