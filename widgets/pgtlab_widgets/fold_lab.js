// @ts-check
// The fold lab's view: a picture of cells, and a line about the chosen one.
import { h, picture, sending } from "./page.js";
import { answering, asking } from "./quiz.js";
import { show } from "./show.js";

/** @typedef {{picture: import("./page.js").Picture, selected: string, status: string, quiz: import("./quiz.js").Quiz|null}} View */

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  ...asking(view.quiz, reader, [h("span", "next", {}, "Choose another cell.")]),
  picture(reader, view.picture, "cells", sending("cell", view.selected)),
  h("p", "status", { class: "status", role: "status" }, view.status),
];

export default show("fold-lab", body, answering);
