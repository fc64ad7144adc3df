// @ts-check
// The table map's view: where we are, and the tables on the way, a column for each level.
import { kernel, toggling } from "./kernel.js";
import { button, field, h, picture, show } from "./page.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, told: string,
 *   regions: {name: string, send: object}[], picture: import("./page.js").Picture|null,
 * }} View
 */

/** A cell opens what it leads to; an arrow scrolls its table. */
const opens = (/** @type {import("./page.js").Shape} */ { attributes }) =>
  "data-va" in attributes
    ? { role: "button", "data-send": JSON.stringify({ va: attributes["data-va"] }) }
    : "data-scroll" in attributes
      ? { role: "button", "data-send": JSON.stringify({ scroll: attributes["data-scroll"] }) }
      : null;

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...(view.choices.length ? kernel(view.choices, reader) : []),
  field(reader, "Address", "address", view.address),
  h("div", "regions", { class: "tools" }, [
    h("span", "label", { class: "label" }, "Go to"),
    ...view.regions.map(({ name, send }) => button(name, name, send)),
  ]),
  h("p", "told", { class: "told", role: "status" }, view.told),
  view.picture ? picture(reader, view.picture, "tables", opens) : h("p", "stuck", { class: "stuck" }, view.stuck),
];

export default show("table-map", body, toggling);
