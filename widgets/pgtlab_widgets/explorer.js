// @ts-check
// The explorer's view: toggles, an address, its picture, and what the last choice changed.
import { kernel, toggling } from "./kernel.js";
import { field, h, picture, show, table } from "./page.js";

/**
 * @typedef {{name: string, before: string|null, after: string|null}} Row
 * @typedef {{
 *   choices: import("./kernel.js").Choices,
 *   address: import("./page.js").Field,
 *   picture: import("./page.js").Picture|null,
 *   stuck: string,
 *   changes: {title: string, groups: {name: string, rows: Row[]}[]},
 * }} View
 */

const SHOWN = 6; // rows of a group of changes; the rest unfold

/** Each bit is a switch. */
const bit = (/** @type {import("./page.js").Shape} */ { attributes }) =>
  "data-bit" in attributes
    ? {
        role: "switch",
        "aria-checked": attributes["data-value"] === "1",
        "data-send": JSON.stringify({ flip: attributes["data-bit"] }),
      }
    : null;

/**
 * What the last choice changed, a table for each group.
 * @param {View} view
 */
function changes({ changes }) {
  const head = ["name", "before", "now"];
  const groups = changes.groups.map(({ name, rows }) => {
    const cells = rows.map((row) => [row.name, row.before, row.after]);
    const [first, rest] = [cells.slice(0, SHOWN), cells.slice(SHOWN)];
    const unfold = [h("summary", "summary", {}, `and ${rest.length} more`), table("rest", `${name}, continued`, head, rest)];
    return h("div", name, { class: "group" }, [
      table("first", name, head, first),
      ...(rest.length ? [h("details", "more", {}, unfold)] : []),
    ]);
  });
  return h("div", "changes", { class: "changes" }, [
    h("p", "title", { role: "status" }, changes.title),
    h("div", "groups", { class: "groups" }, groups),
  ]);
}

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...kernel(view.choices, reader),
  field(reader, "Address", "address", view.address),
  view.picture ? picture(reader, view.picture, "bits", bit) : h("p", "stuck", { class: "stuck" }, view.stuck),
  changes(view),
];

export default show("explorer", body, toggling);
