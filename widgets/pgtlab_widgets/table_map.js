// @ts-check
// The table map's view: where we are; bars, each a part of the one above, and the tables on the way, a column for each level.
import { kernel, toggling } from "./kernel.js";
import { button, field, h, picture, sending, show } from "./page.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, told: string,
 *   regions: {name: string, send: object}[], next: object|null, picture: import("./page.js").Picture|null,
 * }} View
 *
 * What else the reader has come to: from which item to go one bar down, once the view is another than it was; and the
 * item that the wheel was turned at last.
 * @typedef {import("./kernel.js").Reader & {from?: HTMLElement, was?: View, turned?: Element, late?: number}} Reader
 */

/**
 * An item leads to where it begins; an arrow scrolls its table.
 * @param {import("./page.js").Shape} shape
 */
function opens(shape) {
  const leads = sending("va")(shape);
  return leads ? { ...leads, "aria-current": "data-here" in shape.attributes ? "location" : null } : sending("scroll")(shape);
}

/**
 * @param {View} view
 * @param {Reader} reader
 */
function body(view, reader) {
  const { from } = reader;
  if (from && view !== reader.was) {
    reader.from = undefined;
    queueMicrotask(() => beside(from, 1)?.focus());
  }
  return [
    ...(view.choices.length ? kernel(view.choices, reader) : []),
    field(reader, "Address", "address", view.address),
    h("div", "regions", { class: "tools" }, [
      h("span", "label", { class: "label" }, "Go to"),
      ...view.regions.map(({ name, send }) => button(name, name, send)),
    ]),
    h("p", "told", { class: "told", role: "status", "data-next": view.next ? JSON.stringify(view.next) : null }, view.told),
    view.picture ? picture(reader, view.picture, "tables", opens) : h("p", "stuck", { class: "stuck" }, view.stuck),
  ];
}

/** The bar, or the column, that an item is in. */
const lane = (/** @type {HTMLElement} */ item) => item.dataset.item?.split(" ").slice(0, 2).join(" ");

/**
 * The item of the address in the bar or column that is so many after that of `item`.
 * @param {HTMLElement} item
 * @param {number} steps
 */
function beside(item, steps) {
  const kind = item.dataset.item?.split(" ")[0];
  const here = /** @type {HTMLElement[]} */ ([...(item.closest("svg")?.querySelectorAll(`[data-here][data-item^="${kind} "]`) ?? [])]);
  const at = here.findIndex((other) => lane(other) === lane(item));
  return at < 0 ? undefined : here[at + steps];
}

/**
 * Magnify what an item shows: go there, and on to the bar below, or the next column.
 * @param {HTMLElement} item
 * @param {{view: View, reader: Reader}} context
 */
function magnify(item, { view, reader }) {
  if ("here" in item.dataset) return beside(item, 1)?.focus();
  Object.assign(reader, { from: item, was: view });
  item.dispatchEvent(new MouseEvent("click", { bubbles: true }));
}

const on = {
  ...toggling,

  keydown(/** @type {KeyboardEvent} */ event, /** @type {any} */ context) {
    const item = /** @type {HTMLElement|null} */ (/** @type {Element} */ (event.target).closest("svg [data-va]"));
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const bars = item.dataset.item?.startsWith("scale");
    const [less, more] = bars ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    if (event.key === "+" || event.key === "=") magnify(item, context);
    else if (event.key === "-") beside(item, -1)?.focus();
    else if (event.key === less && beside(item, -1)) beside(item, -1)?.focus();
    else if (event.key === more && beside(item, 1)) beside(item, 1)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
    return true;
  },

  // With Ctrl, as two fingers on a touchpad send it: without, the page scrolls.
  wheel(/** @type {WheelEvent} */ event, /** @type {any} */ context) {
    const under = /** @type {HTMLElement|null} */ (/** @type {Element} */ (event.target).closest("svg [data-va]"));
    if (!event.ctrlKey || !under) return;
    event.preventDefault();
    const { reader } = context;
    if (event.timeStamp < (reader.late ?? 0)) return;
    reader.late = event.timeStamp + 200; // one turn is many events
    // Turned on at the same place, it goes on from where it got to.
    const focused = /** @type {HTMLElement|null} */ (document.activeElement?.closest("svg [data-va]"));
    const item = under === reader.turned && focused && under.closest("svg")?.contains(focused) ? focused : under;
    reader.turned = under;
    if (event.deltaY < 0) magnify(item, context);
    else beside(item, -1)?.focus();
  },
};

export default show("table-map", body, on);
