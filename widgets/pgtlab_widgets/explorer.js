// @ts-check
// The explorer's view: toggles, an address, its picture and that of the pinned kernel, why its fields are where they are,
// and what the last choice changed.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, field, h, picture, stop, table } from "./page.js";
import { answering, asking, together } from "./quiz.js";
import { show } from "./show.js";

/**
 * @typedef {{name: string, before: string|null, after: string|null}} Row
 * @typedef {{
 *   choices: import("./kernel.js").Choices,
 *   address: import("./page.js").Field,
 *   picture: import("./page.js").Picture|null,
 *   pinned: import("./page.js").Picture|null,
 *   why: {field: string, bits: string, why: string, by: string, pictures: import("./page.js").Picture[]}[],
 *   stuck: string,
 *   quiz: import("./quiz.js").Quiz|null,
 *   changes: {title: string, first: string[], count: number, groups: {name: string, rows: Row[]}[]},
 * }} View
 */

/** Each bit is a switch. */
const bit = (/** @type {import("./page.js").Shape} */ { attributes }) =>
  "data-bit" in attributes
    ? {
        role: "switch",
        "aria-checked": attributes["data-value"] === "1",
        "data-send": JSON.stringify({ flip: attributes["data-bit"] }),
      }
    : null;

/**
 * Pinning.
 * @param {View} view
 */
const tools = (view) =>
  h("div", "tools", { class: "tools" }, [
    view.pinned
      ? button("pin", "Unpin", { pin: false })
      : button("pin", "Pin this kernel to compare", { pin: true }, { "aria-disabled": view.stuck ? true : null }),
  ]);

/**
 * Why each field is where it is: a row each, and the registers of the chosen one.
 * @param {View} view
 * @param {import("./page.js").Reader} reader
 */
function why(view, reader) {
  const at = stop(reader, "why", view.why.map(({ field }) => field));
  const rows = view.why.map(({ field, bits, why, by, pictures }) =>
    h("tr", field, {}, [
      h("th", "field", { scope: "row" }, [
        button("button", field, { explain: field }, {
          "data-item": field,
          tabindex: field === at ? 0 : -1,
          "aria-pressed": pictures.length > 0,
        }),
      ]),
      h("td", "bits", {}, bits),
      h("td", "why", { class: "words" }, why),
      h("td", "by", {}, by),
    ]),
  );
  const head = ["field", "bits", "why", "decided by"].map((name) => h("th", name, { scope: "col" }, name));
  return h("details", "reasons", {}, [
    h("summary", "summary", {}, "Why these bits?"),
    h("table", "table", { "data-group": "why" }, [
      h("thead", "head", {}, [h("tr", "row", {}, head)]),
      h("tbody", "body", {}, rows),
    ]),
    ...view.why.flatMap(({ field, pictures }) => pictures.map((register, i) => picture(reader, register, `${field} ${i}`))),
  ]);
}

/**
 * What the last choice changed: the most important in a line, and all of it, which unfolds.
 * @param {View} view
 */
function changes({ changes }) {
  const { title, first, count, groups } = changes;
  const head = ["name", "before", "now"];
  const tables = groups.map(({ name, rows }) =>
    h("div", name, { class: "group" }, [table("all", name, head, rows.map((row) => [row.name, row.before, row.after]))]),
  );
  const all = { class: "changes", role: "region", tabindex: 0, "aria-label": "All changes" };
  return h("div", "changed", { class: "changed" }, [
    h("p", "title", { class: "title", role: "status" }, title),
    h("ul", "first", { class: "first", "aria-label": "The most important changes" }, first.map((change) => h("li", change, {}, change))),
    h("details", "all", { hidden: count ? null : true }, [
      h("summary", "summary", {}, count === 1 ? "The change" : `All ${count} changes`),
      h("div", "changes", all, [h("div", "groups", { class: "groups" }, tables)]),
    ]),
  ]);
}

/**
 * Two pictures of the same address have a label each.
 * @param {string} words
 * @param {View} view
 */
const label = (words, { pinned }) => (pinned ? [h("p", words, { class: "label which" }, words)] : []);

/**
 * @param {View} view
 * @param {import("./kernel.js").Reader} reader
 */
const body = (view, reader) => [
  ...kernel(view.choices, reader),
  field(reader, "Address", "address", view.address),
  ...asking(view.quiz, reader, [button("another", "Another address", { another: true })]),
  ...label("Now", view),
  view.picture ? picture(reader, view.picture, "bits", bit) : stuck(view.stuck, view.choices),
  ...label("Pinned", view),
  ...(view.pinned ? [picture(reader, view.pinned, "pinned")] : []),
  ...(view.quiz?.blank // the others would say what is asked
    ? []
    : [changes(view), tools(view), h("div", "whys", { class: "whys" }, view.why.length ? [why(view, reader)] : [])]),
];

export default show("explorer", body, together(answering, toggling));
