// @ts-check
// The fold lab's view: a picture of cells, of which one is chosen, and a line about that one.
import { h, picture, sending, show } from "./page.js";

/** @typedef {{picture: import("./page.js").Picture, selected: string, told: string}} View */

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  picture(reader, view.picture, "cells", sending("cell", view.selected)),
  h("p", "told", { class: "told", role: "status" }, view.told),
];

export default show("fold-lab", body);
