// @ts-check
// The bug lab's view, in stages: a tree on a CPU, its log and what follows from it, patches, the judge, the outcome everywhere.
import { claims, log, reasons } from "./annotated.js";
import { controls } from "./controls.js";
import { kernel, toggling } from "./kernel.js";
import { button, h, picture, sending, textarea, toolbar } from "./page.js";
import { show } from "./show.js";
import { stage } from "./stages.js";

/**
 * @typedef {{title: string, text: string, edit?: string}} Source
 * @typedef {{label: string, send: object}} Choice
 *
 * @typedef {import("./annotated.js").Annotated & {
 *   choices: import("./kernel.js").Choices, stuck: string, trees: Choice[], bugs: Choice[], tree: string, about: string,
 *   outcome: string, fixes: {name: string, does: string}[], on: string[], patched: {name: string, as: string}[], diff: string,
 *   own: {text: string, error: string}, sources: Source[], functions: Source[], findings: string[], judged: number, kernels: number,
 *   matrix: import("./page.js").Picture, selected: string, filled: number, cells: number, doing: string, next: object|null,
 *   where: {says: string, label: string, send: object|null}, picture: import("./page.js").Picture, stages: Record<string, string>,
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

/**
 * What boots: a tree or a bug, in a kernel on a CPU; and what comes of it.
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
function boot(view, reader) {
  const { trees, bugs, tree, about, where, doing, picture: run } = view;
  return [
    controls(reader, "tree", `${bugs.some(({ label }) => label === tree) ? "bug" : "tree"} ${tree}`, [
      choice(reader, "Tree", trees, tree),
      choice(reader, "Bug", bugs, tree),
    ]),
    h("p", "about", { class: "about", role: "note" }, about),
    ...kernel(view.choices, reader),
    ...(where.says || where.send
      ? [
          h("p", "where", { class: "where", role: "note" }, [
            ...(where.says ? [h("span", "says", {}, where.says)] : []),
            ...(where.send ? [button("bite", where.label, where.send)] : []),
          ]),
        ]
      : []),
    ...(doing === "run"
      ? [
          h("div", "running", { class: "tools", role: "status" }, [
            button("stop", "Stop", { stop: true }),
            h("progress", "progress", { "aria-label": "Your patch is running" }),
            h("span", "says", {}, "Your patch is running. It ends by itself after some seconds."),
          ]),
        ]
      : []),
    picture(reader, run, "run"),
  ];
}

/**
 * The log, what follows from it, and why.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const read = (view, reader) =>
  view.claims.length
    ? [
        claims(view, reader, "Diagnosis", true),
        h("div", "columns", { class: "columns" }, [log(view, reader), claims(view, reader, "What follows", false)]),
        h("div", "why", { class: "why", role: "region", "aria-label": "Why", tabindex: 0 }, [
          { ...reasons(view), attributes: { class: "because", "aria-live": "polite" } }, // it scrolls with the pictures
          ...words(view, reader),
        ]),
      ]
    : view.rows.length
      ? [h("p", "none", { class: "note" }, "There is no report in this log."), h("div", "columns", { class: "columns" }, [log(view, reader)])]
      : [h("p", "none", { class: "note" }, view.stuck || "Nothing was logged: the kernel did not notice anything, or nothing is wrong here.")];

/**
 * The words in the lit lines, as pictures.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const words = ({ pictures }, reader) => pictures.map((word, i) => picture(reader, word, `picture ${i}`));

/** @param {View} view */
const patches = ({ fixes, on, patched }) =>
  h("div", "fixes", { class: "tools" }, [
    h("span", "label", { class: "label" }, "Patch"),
    ...fixes.map(({ name, does }) => button(name, name, { fix: name }, { title: does, "aria-pressed": on.includes(name) })),
    ...patched.map(({ name, as }) => button(`un ${name}`, `Take ${as} off`, { unpatch: name })),
  ]);

/**
 * The functions to read and to edit, the patch that is typed, and what it changes.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const change = (view, reader) => [
  patches(view),
  h("section", "own", { class: "own", "aria-label": "Your own patch" }, [
    h("div", "typed", {}, [
      textarea(reader, "Your own patch: a function as the kernel has it, in Python", "own", view.own, 12),
      h("div", "tools", { class: "tools" }, [button("apply", "Apply", { apply: true })]),
    ]),
    ...(view.patched.length
      ? [
          h("div", "diff", {}, [
            h("div", "label", { class: "label" }, "What is patched"),
            h("pre", "text", { tabindex: 0, class: "diff", role: "region", "aria-label": "The difference to the tree" }, view.diff),
          ]),
        ]
      : []),
  ]),
  h("section", "sources", { "aria-label": "Sources" }, [
    folded("commits", "What the commits change", view.sources.map(source)),
    folded("functions", "The functions of the commits and of the call trace", view.functions.map(source)),
  ]),
];

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
 * Work in steps: a button that starts or stops it, and while it goes on, how far it is.
 * @param {View} view
 * @param {string} name
 * @param {string} label
 * @param {string} what
 * @param {number} done
 * @param {number} all
 */
const work = ({ doing }, name, label, what, done, all) =>
  h("div", name, { class: "tools" }, [
    button("start", doing === name ? "Stop" : label, doing === name ? { stop: true } : { [name]: true }),
    ...(doing === name ? [h("progress", "progress", { max: all, value: done, "aria-label": what })] : []),
    h("span", "count", {}, `${done} of ${all}`),
  ]);

/** @param {View} view */
const judge = (view) => [
  work(view, "judge", "Judge the kernel", "Kernels that have been judged", view.judged, view.kernels),
  view.findings.length
    ? h("ul", "judged", { class: "judged", "aria-live": "polite", "aria-label": "Findings", tabindex: 0 },
        view.findings.map((finding, i) => h("li", `${i}`, {}, finding)))
    : h("p", "none", { class: "note" }, `The patched kernel is booted in the ${view.kernels} kernels that differ, and checked: what is right and what is wrong is listed here.`),
];

/**
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
const everywhere = (view, reader) => [
  work(view, "fill", "Run it everywhere", "Kernels that have run", view.filled, view.cells),
  picture(reader, view.matrix, "matrix", sending("cell", view.selected)),
];

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
function body(view, reader) {
  const says = (/** @type {string} */ text, attributes = {}) => h("span", "says", { class: "says", ...attributes }, text);
  const { outcome, stuck, stages, next, doing } = view;
  // Work goes on while its stage is folded.
  const going = (/** @type {string} */ name) => ({ "data-next": doing === name ? JSON.stringify(next) : null });
  return [
    stage(reader, 1, "Boot", says(stuck || outcome, { class: "says summary", role: "status", ...going("run") }), () => boot(view, reader)),
    stage(reader, 2, "Read", says(stages.read), () => read(view, reader)),
    stage(reader, 3, "Change", says(stages.change), () => change(view, reader)),
    stage(reader, 4, "Judge", says(stages.judge, going("judge")), () => judge(view)),
    stage(reader, 5, "Everywhere", says(stages.everywhere, going("fill")), () => everywhere(view, reader)),
  ];
}

export default show("bug-lab", body, {
  ...toggling,
  click(event, context) {
    // The function is in the field now: move the focus there.
    if (event.target.closest("[data-edit]")) /** @type {HTMLElement} */ (context.root.querySelector("textarea")).focus();
    return toggling.click(event, context);
  },
});
