// @ts-check
// The bug lab's view: a tree on a CPU, its log and what follows from it, patches, sources, and the outcome everywhere.
import { claims, log, reasons, words } from "./annotated.js";
import { kernel, toggling } from "./kernel.js";
import { button, h, picture, sending, textarea, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{title: string, text: string, edit?: string}} Source
 * @typedef {{label: string, send: object}} Choice
 *
 * @typedef {import("./annotated.js").Annotated & {
 *   choices: import("./kernel.js").Choices, stuck: string, trees: Choice[], bugs: Choice[], tree: string, about: string,
 *   outcome: string, fixes: {name: string, does: string}[], on: string[], patched: {name: string, as: string}[], diff: string,
 *   own: {text: string, error: string}, sources: Source[], functions: Source[], findings: string[], judged: number, kernels: number,
 *   matrix: import("./page.js").Picture, selected: string, filled: number, cells: number, doing: string, next: object|null,
 * }} View
 */

/**
 * @param {import("./page.js").Reader} reader
 * @param {string} label
 * @param {Choice[]} choices
 * @param {string} chosen
 */
const choice = (reader, label, choices, chosen) =>
  toolbar(reader, label, choices.map((option) => ({ ...option, selected: option.label === chosen })));

/** @param {View} view */
const patches = ({ fixes, on, patched }) =>
  h("div", "fixes", { class: "tools" }, [
    h("span", "label", { class: "label" }, "Patch"),
    ...fixes.map(({ name, does }) => button(name, name, { fix: name }, { title: does, "aria-pressed": on.includes(name) })),
    ...patched.map(({ name, as }) => button(`un ${name}`, `Take ${as} off`, { unpatch: name })),
  ]);

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const own = ({ own, diff, patched }, reader) =>
  h("section", "own", { class: "own", "aria-label": "Your own patch" }, [
    h("div", "typed", {}, [
      textarea(reader, "Your own patch: a function as the kernel has it, in Python", "own", own, 14),
      h("div", "tools", { class: "tools" }, [button("apply", "Apply", { apply: true })]),
    ]),
    h("div", "diff", {}, [
      h("div", "label", { class: "label" }, patched.length ? "What is patched" : "What is patched: nothing yet"),
      h("pre", "text", { tabindex: 0, class: "diff", role: "region", "aria-label": "The difference to the tree" }, diff),
    ]),
  ]);

/**
 * Work in steps: a button that starts or stops it, and how far it is.
 * @param {View} view
 * @param {string} name
 * @param {string} label
 * @param {string} what
 * @param {number} done
 * @param {number} all
 */
const work = ({ doing, next }, name, label, what, done, all) =>
  h("div", name, { class: "tools" }, [
    button("start", doing === name ? "Stop" : label, doing === name ? { stop: true } : { [name]: true }),
    h("progress", "progress", {
      max: all,
      value: done,
      "aria-label": what,
      "data-next": doing === name ? JSON.stringify(next) : null,
    }),
    h("span", "count", {}, `${done} of ${all}`),
  ]);

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const everywhere = (view, reader) =>
  h("section", "everywhere", { "aria-label": "Everywhere" }, [
    work(view, "judge", "Judge the kernel", "Kernels that have been judged", view.judged, view.kernels),
    h("ul", "judged", { class: "judged", "aria-live": "polite", "aria-label": "Findings", tabindex: 0 },
      view.findings.map((finding, i) => h("li", `${i}`, {}, finding)),
    ),
    work(view, "fill", "Run it everywhere", "Kernels that have run", view.filled, view.cells),
    picture(reader, view.matrix, "matrix", sending("cell", view.selected)),
  ]);

/**
 * @param {string} key
 * @param {string} title
 * @param {import("./page.js").Wanted[]} content
 */
const folded = (key, title, content) => h("details", key, { class: "source" }, [h("summary", "summary", {}, title), ...content]);

/** @param {Source} source */
const source = ({ title, text, edit }) =>
  folded(title, title, [
    ...(edit ? [button("edit", `Edit ${title}`, { edit }, { "data-edit": "" })] : []),
    h("pre", "text", { tabindex: 0 }, text),
  ]);

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  choice(reader, "Tree", view.trees, view.tree),
  choice(reader, "Bug", view.bugs, view.tree),
  h("p", "about", { class: "about", tabindex: 0, role: "note" }, view.about),
  ...kernel(view.choices, reader),
  patches(view),
  h("p", "outcome", { class: "summary", role: "status" }, view.stuck || view.outcome),
  claims(view, reader, "Diagnosis", true),
  h("div", "columns", { class: "columns" }, [log(view, reader), claims(view, reader, "What follows", false)]),
  reasons(view),
  words(view, reader),
  own(view, reader),
  h("section", "sources", { "aria-label": "Sources" }, [
    folded("commits", "What the commits change", view.sources.map(source)),
    folded("functions", "The functions of the commits and of the call trace", view.functions.map(source)),
  ]),
  everywhere(view, reader),
];

export default show("bug-lab", body, {
  ...toggling,
  click(event, context) {
    // The function is in the field now: move the focus there.
    if (event.target.closest("[data-edit]")) /** @type {HTMLElement} */ (context.root.querySelector("textarea")).focus();
    return toggling.click(event, context);
  },
});
