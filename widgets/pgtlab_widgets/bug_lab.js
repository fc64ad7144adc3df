// @ts-check
// The bug lab's view: a tree on a CPU, its log and what follows from it, sources, patches, and the outcome everywhere.
import { claims, log, reasons } from "./annotated.js";
import { kernel, toggling } from "./kernel.js";
import { button, h, picture, show, toolbar } from "./page.js";

/**
 * @typedef {{title: string, text: string}} Source
 *
 * @typedef {import("./annotated.js").Annotated & {
 *   choices: import("./kernel.js").Choices, stuck: string, trees: {label: string, selected: boolean, send: object}[],
 *   bugs: {label: string, selected: boolean, send: object}[], about: string, pictures: import("./page.js").Picture[],
 *   outcome: string, fixes: {name: string, does: string, on: boolean}[], patched: string[],
 *   sources: Source[], called: Source[], judged: string[], matrix: import("./page.js").Picture,
 *   filling: boolean, filled: number, cells: number,
 * }} View
 */

/** @param {View} view */
const patches = ({ fixes, patched, judged }) =>
  h("section", "patches", { "aria-label": "Patches" }, [
    h("div", "fixes", { class: "tools" }, [
      h("span", "label", { class: "label" }, "Patch"),
      ...fixes.map(({ name, does, on }) => button(name, name, { fix: name }, { title: does, "aria-pressed": on })),
      ...patched.map((name) => button(`un ${name}`, `take ${name}() out`, { unpatch: name })),
      button("judge", "Judge the kernel", { judge: true }),
    ]),
    h("ul", "judged", { class: "judged", "aria-live": "polite" }, judged.map((finding, i) => h("li", `${i}`, {}, finding))),
  ]);

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const everywhere = (view, reader) =>
  h("section", "everywhere", { "aria-label": "Everywhere" }, [
    h("div", "tools", { class: "tools" }, [
      view.filling ? button("fill", "Stop", { stop: true }) : button("fill", "Run it everywhere", { fill: true }),
      h("progress", "progress", { max: view.cells, value: view.filled, "aria-label": "Kernels that have run" }),
      h("span", "count", {}, `${view.filled} of ${view.cells}`),
    ]),
    picture(reader, view.matrix, "matrix", ({ attributes }) =>
      "data-cell" in attributes ? { role: "button", "data-send": JSON.stringify({ cell: attributes["data-cell"] }) } : null,
    ),
  ]);

/**
 * @param {string} key
 * @param {string} title
 * @param {import("./page.js").Wanted[]} content
 */
const folded = (key, title, content) => h("details", key, { class: "source" }, [h("summary", "summary", {}, title), ...content]);

/** @param {Source} source */
const source = ({ title, text }) => folded(title, title, [h("pre", "text", { tabindex: 0 }, text)]);

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  toolbar(reader, "Tree", view.trees),
  toolbar(reader, "Bug", view.bugs),
  ...kernel(view.choices, reader),
  patches(view),
  h("p", "about", { class: "about", hidden: view.about ? null : true }, view.about),
  h("p", "outcome", { class: "summary", role: "status" }, view.stuck || view.outcome),
  ...(view.claims.length ? [claims(view, reader, "Diagnosis", true)] : []),
  h("div", "columns", { class: "columns" }, [
    ...(view.rows.length ? [log(view, reader)] : []),
    ...(view.claims.some(({ diagnosis }) => !diagnosis) ? [claims(view, reader, "What follows", false)] : []),
  ]),
  reasons(view),
  h("div", "words", { class: "pictures" }, view.pictures.map((it, i) => picture(reader, it, `picture ${i}`))),
  h("section", "sources", { "aria-label": "Sources" }, [
    ...view.sources.map(source),
    ...(view.called.length ? [folded("called", "The functions of the call trace", view.called.map(source))] : []),
  ]),
  everywhere(view, reader),
];

export default show("bug-lab", body, toggling);
