// @ts-check
// The table map's view: an address; bars, each a part of the one above; and the tables on the way, a column for each level.
import { kernel, stuck, toggling } from "./kernel.js";
import { button, field, h, picture, sending, toolbar } from "./page.js";
import { show } from "./show.js";

/**
 * @typedef {{
 *   choices: import("./kernel.js").Choices, stuck: string, address: import("./page.js").Field, status: string,
 *   regions: {name: string, send: object}[], colours: {label: string, selected: boolean, send: object}[],
 *   picture: import("./page.js").Picture|null,
 * }} View
 *
 * What else is known of the reader: the item from which to go one bar down, once the view has changed; and the item at
 * which the wheel was turned last.
 * @typedef {import("./kernel.js").Reader & {from?: HTMLElement, was?: View, turned?: Element, late?: number}} Reader
 */

/**
 * An item goes to its first address; an arrow scrolls its table.
 * @param {import("./page.js").Shape} shape
 */
function opens(shape) {
  const place = sending("va")(shape);
  const current = { "aria-current": "data-here" in shape.attributes ? "location" : null };
  const part = place ?? sending("region")(shape);
  return part ? { ...part, ...current } : sending("scroll")(shape);
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
    h("div", "to", { class: "toggles" }, [field(reader, "Address", "address", view.address), toolbar(reader, "Colour by", view.colours)]),
    ...(view.regions.length
      ? [
          h("div", "regions", { class: "tools" }, [
            h("span", "label", { class: "label" }, "Go to"),
            ...view.regions.map(({ name, send }) => button(name, name, send)),
          ]),
        ]
      : []),
    h("p", "status", { class: "status", role: "status" }, view.status),
    view.picture ? picture(reader, view.picture, "tables", opens) : stuck(view.stuck, view.choices),
  ];
}

/** The bar or the column of an item. */
const lane = (/** @type {HTMLElement} */ item) => item.dataset.item?.split(" ").slice(0, 2).join(" ");

/**
 * The item at the address in another bar or column, `steps` after that of `item`.
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
 * Magnify an item: go to its address, and then to the bar below or the next column.
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

  keydown(/** @type {KeyboardEvent} */ event, /** @type {import("./page.js").Context} */ context) {
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

  // With Ctrl, which two fingers on a touchpad send too; without it the page scrolls.
  wheel(/** @type {WheelEvent} */ event, /** @type {import("./page.js").Context} */ context) {
    const under = /** @type {HTMLElement|null} */ (/** @type {Element} */ (event.target).closest("svg [data-va]"));
    if (!event.ctrlKey || !under) return;
    event.preventDefault();
    const { reader } = context;
    if (event.timeStamp < (reader.late ?? 0)) return;
    reader.late = event.timeStamp + 200; // one turn is many events
    // Turned again at the same place, the wheel goes on from the focused item.
    const focused = /** @type {HTMLElement|null} */ (document.activeElement?.closest("svg [data-va]"));
    const item = under === reader.turned && focused && under.closest("svg")?.contains(focused) ? focused : under;
    reader.turned = under;
    if (event.deltaY < 0) magnify(item, context);
    else beside(item, -1)?.focus();
  },
};

export default show("table-map", body, on);
