// @ts-check
// The fold lab's view: a picture of cells, of which one is chosen, and a line about that one.
import { h, picture, show } from "./page.js";

/** @typedef {{picture: import("./page.js").Picture, selected: string, told: string}} View */

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  picture(reader, view.picture, "cells", ({ attributes }) =>
    "data-cell" in attributes
      ? {
          role: "button",
          "aria-pressed": attributes["data-cell"] === view.selected,
          "data-send": JSON.stringify({ cell: attributes["data-cell"] }),
        }
      : null,
  ),
  h("p", "told", { class: "told", role: "status" }, view.told),
];

export default show("fold-lab", body);
