// @ts-check
// The course's views: elements as Python gives them, and links between the chapters.
import { enter, follow } from "./links.js";
import { show } from "./show.js";

/** @param {{elements: import("./page.js").Wanted[]}} view */
const body = (view) => view.elements;

export default show("course", body, { click: follow, keydown: enter });
