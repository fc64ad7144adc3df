// @ts-check
// The fold lab's view: a picture of cells, and a line about the chosen one.
import { h, picture, sending } from "./page.js";
import { answering, asking } from "./quiz.js";
import { show } from "./show.js";

/** @typedef {{picture: import("./page.js").Picture, selected: string, status: string, quiz: import("./quiz.js").Quiz|null}} View */

/**
 * The picture with the column of the chosen cell marked, and the frame that it shares with those of the same outcome.
 * @param {View} view
 */
const marked = ({ picture, selected }) => ({
  ...picture,
  shapes: picture.shapes.map((shape) => {
    const { "data-cells": cells = "", class: classes } = shape.attributes;
    return `${cells}`.split(" ").includes(selected) ? { ...shape, attributes: { ...shape.attributes, class: `${classes} selected` } } : shape;
  }),
});

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  ...asking(view.quiz, reader, [h("span", "next", {}, "Choose another cell.")]),
  picture(reader, marked(view), "cells", sending("cell", view.selected)),
  h("p", "status", { class: "status", role: "status" }, view.status),
];

export default show("fold-lab", body, answering);
