// @ts-check
// The oops reader's view: a field for a log, the diagnosis, the log line by line beside what follows from it, and what the
// chosen claim rests on.
import { claims, log, reasons, words } from "./annotated.js";
import { button, h, textarea } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {import("./annotated.js").Annotated & {
 *   samples: string[], log: {text: string, error: string}, status: string,
 * }} View
 */

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const body = (view, reader) => [
  h("div", "tools", { class: "tools" }, view.samples.map((name) => button(name, name, { sample: name }))),
  textarea(reader, "Or paste a log", "log", view.log),
  h("p", "status", { role: "status", class: "summary" }, view.status),
  ...(view.claims.length ? [claims(view, reader, "Diagnosis", true)] : []),
  h("div", "columns", { class: "columns" }, [
    ...(view.rows.length ? [log(view, reader)] : []),
    ...(view.claims.some(({ diagnosis }) => !diagnosis) ? [claims(view, reader, "What follows", false)] : []),
  ]),
  reasons(view),
  words(view, reader),
];

export default show("oops-reader", body);
