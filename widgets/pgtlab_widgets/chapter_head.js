// @ts-check
// The head of a chapter: its title line, and the log strip, which shows the line under the pointer or with the focus.
import { enter, follow } from "./links.js";
import { h } from "./page.js";
import { show } from "./show.js";

/**
 * @param {{elements: import("./page.js").Wanted[], caption: string}} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [...view.elements, h("p", "shown", { class: "shown" }, reader.line ?? view.caption)];

/** @param {Event & {target: HTMLElement}} event @param {import("./page.js").Context} context */
function point({ target }, { reader, draw }) {
  const line = target.dataset.line;
  if (!line || line === reader.line) return;
  reader.line = line;
  draw();
}

export default show("course", body, { click: follow, keydown: enter, pointerover: point, focusin: point });
