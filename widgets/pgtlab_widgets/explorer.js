// @ts-check
// The explorer's view: toggles, an address, its picture, and what the last choice changed.
import { button, field, h, picture, show, table, toolbar } from "./page.js";

/**
 * @typedef {import("./page.js").Reader & {pointed?: string, told?: string, note?: string}} Reader
 * @typedef {{label: string, selected: boolean, choose: object, rule: string, remedy: string, note: string}} Option
 * @typedef {{name: string, before: string|null, after: string|null}} Row
 * @typedef {{
 *   choices: {label: string, options: Option[]}[],
 *   address: import("./page.js").Field,
 *   picture: import("./page.js").Picture|null,
 *   stuck: string,
 *   changes: {title: string, groups: {name: string, rows: Row[]}[]},
 * }} View
 *
 * What else the reader has come to: the option that is pointed at; the option whose rule the line below the toggles
 * tells, for asking; and what there was to say of the last choice.
 */

const SHOWN = 6; // rows of a group of changes; the rest unfold

/**
 * The option called `item` in a view.
 * @param {View} view
 * @param {string|undefined} item
 */
function find(view, item) {
  return view.choices.flatMap(({ label, options }) => options.filter((o) => `${label}/${o.label}` === item))[0];
}

/**
 * One line: the rule against the option that is pointed at or was last asked for, what it would take to have it, and
 * what else there is to know.
 * @param {View} view
 * @param {Reader} reader
 */
function line(view, reader) {
  const pointed = find(view, reader.pointed);
  const told = find(view, reader.told);
  const option = pointed?.rule || pointed?.note ? pointed : told;
  const says = (option ? option.rule || option.note : reader.note) ?? "";
  const way = option?.remedy && option === told;
  const attributes = { "data-remedy": reader.told ?? "", "aria-describedby": `${reader.id}-rule` };
  return h("div", "line", { class: "line" }, [
    h("span", "rule", { id: `${reader.id}-rule` }, says),
    ...(way ? [button("remedy", option.remedy, { choose: option.choose }, attributes)] : []),
  ]);
}

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
 * What the last choice changed, a table for each group.
 * @param {View} view
 */
function changes({ changes }) {
  const head = ["name", "before", "now"];
  const groups = changes.groups.map(({ name, rows }) => {
    const cells = rows.map((row) => [row.name, row.before, row.after]);
    const [first, rest] = [cells.slice(0, SHOWN), cells.slice(SHOWN)];
    const unfold = [h("summary", "summary", {}, `and ${rest.length} more`), table("rest", `${name}, continued`, head, rest)];
    return h("div", name, { class: "group" }, [
      table("first", name, head, first),
      ...(rest.length ? [h("details", "more", {}, unfold)] : []),
    ]);
  });
  return h("div", "changes", { class: "changes" }, [
    h("p", "title", { role: "status" }, changes.title),
    h("div", "groups", { class: "groups" }, groups),
  ]);
}

/**
 * @param {View} view
 * @param {Reader} reader
 */
function body(view, reader) {
  if (!find(view, reader.told)?.rule) reader.told = "";
  const toolbars = view.choices.map(({ label, options }) =>
    toolbar(reader, label, options.map((option) => ({ ...option, send: { choose: option.choose } }))),
  );
  return [
    h("div", "toggles", { class: "toggles" }, toolbars),
    line(view, reader),
    field(reader, "Address", "address", view.address),
    view.picture ? picture(reader, view.picture, "bits", bit) : h("p", "stuck", { class: "stuck" }, view.stuck),
    changes(view),
  ];
}

export default show("explorer", body, {
  click(event, { view, reader, root, draw }) {
    const item = event.target.closest("[data-item]")?.dataset.item;
    const option = find(view, event.target.closest("[data-remedy]")?.dataset.remedy ?? item);
    if (!option) return;
    if (option.rule && item) {
      reader.told = item;
      draw();
      /** @type {HTMLElement} */ (root.querySelector("[data-remedy]")).focus();
      return true;
    }
    if (!item) /** @type {HTMLElement} */ (root.querySelector(`[data-item="${reader.told}"]`)).focus();
    Object.assign(reader, { told: "", note: option.note });
  },

  focusin(event, { view, reader, draw }) {
    const item = event.target.closest("[data-item]")?.dataset.item;
    if (!find(view, item)?.rule || reader.told === item) return;
    reader.told = item;
    draw();
  },

  pointerover(event, { reader, draw }) {
    const over = event.target.closest("[data-item]")?.dataset.item ?? "";
    if (over === reader.pointed || over.startsWith("bit")) return;
    reader.pointed = over;
    draw();
  },

  pointerleave(event, { reader, draw }) {
    reader.pointed = "";
    draw();
  },
});
