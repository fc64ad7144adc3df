// The explorer's view. It draws what the trait `view` says and sends back what was chosen; it computes nothing.

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = 10; // rows of changes; the rest unfold

/**
 * @typedef {{key: string, tag: string, attributes: Record<string, string|number>, text: string}} Shape
 * @typedef {{width: number, height: number, title: string, description: string, shapes: Shape[]}} Picture
 * @typedef {{label: string, selected: boolean, choose: Record<string, any>, rule: string, remedy: string, note: string}} Option
 * @typedef {{name: string, before: string|null, after: string|null}} Change
 * @typedef {{
 *   choices: {label: string, options: Option[]}[], address_error: string, picture: Picture|null, no_boot: string,
 *   changes: {title: string, rows: Change[]},
 * }} View
 */

let views = 0;

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node|string)[]} children
 */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Set an attribute, touching the page only where it differs. */
function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** Set a node's text, touching the page only where it differs. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make `svg` show `picture`: nodes keep their identity by key, and with it focus and the accessibility tree.
 * @param {SVGElement} svg
 * @param {Map<string, SVGElement>} nodes
 * @param {Picture} picture
 */
function patch(svg, nodes, picture) {
  set(svg, "viewBox", `0 0 ${picture.width} ${picture.height}`);
  set(svg, "width", picture.width);
  set(svg, "height", picture.height);
  set(svg, "aria-label", picture.title);
  const keys = new Set(picture.shapes.map((shape) => shape.key));
  for (const [key, node] of nodes) {
    if (keys.has(key)) continue;
    node.remove();
    nodes.delete(key);
  }
  let next = svg.firstChild;
  for (const shape of picture.shapes) {
    let node = nodes.get(shape.key);
    if (!node) {
      node = document.createElementNS(SVG, shape.tag);
      nodes.set(shape.key, node);
    }
    if (node === next) next = node.nextSibling;
    else svg.insertBefore(node, next);
    for (const [name, value] of Object.entries(shape.attributes)) set(node, name, value);
    say(node, shape.text);
    if ("data-bit" in shape.attributes) {
      set(node, "role", "switch");
      set(node, "aria-checked", shape.attributes["data-value"] === "1");
      set(node, "aria-label", shape.attributes["data-label"]);
    }
  }
}

/** The toggles: one group of buttons for each choice. A greyed one explains itself below, and offers a way. */
function toggles(model, id) {
  const root = element("div");
  const rule = element("div", { class: "pgtlab-explorer-rule", role: "status", id: `${id}-rule` });
  const groups = [];
  let note = "";

  function choose(option) {
    note = option.note;
    for (const [trait, value] of Object.entries(option.choose)) model.set(trait, value);
    model.save_changes();
  }

  function explain(option) {
    const button = option.remedy ? [element("button", { type: "button" }, option.remedy)] : [];
    button.forEach((b) => b.addEventListener("click", () => choose(option)));
    rule.replaceChildren(option.rule, ...button);
  }

  /** @param {View} view */
  function update(view) {
    rule.replaceChildren(note);
    note = "";
    view.choices.forEach(({ label, options }, i) => {
      if (!groups[i]) {
        const fieldset = element("fieldset", {}, element("legend", {}, label));
        groups[i] = options.map((option) => {
          const button = element("button", { type: "button" }, option.label);
          const slot = { button, option };
          button.addEventListener("click", () => (slot.option.rule ? explain(slot.option) : choose(slot.option)));
          button.addEventListener("focus", () => slot.option.rule && explain(slot.option));
          fieldset.append(button);
          return slot;
        });
        root.append(fieldset);
      }
      options.forEach((option, j) => {
        const slot = groups[i][j];
        slot.option = option;
        set(slot.button, "aria-pressed", option.selected);
        set(slot.button, "aria-disabled", option.rule !== "");
        set(slot.button, "title", option.rule || option.note);
      });
    });
  }
  return { node: element("div", {}, root, rule), update };
}

/** The address field, with what is wrong with it below. */
function addressField(model, id) {
  const input = element("input", {
    id: `${id}-address`,
    type: "text",
    spellcheck: "false",
    autocomplete: "off",
    "aria-describedby": `${id}-error`,
  });
  const error = element("div", { class: "pgtlab-explorer-error", id: `${id}-error`, role: "status" });
  const node = element(
    "div",
    { class: "pgtlab-explorer-address" },
    element("label", { for: `${id}-address` }, "Address"),
    input,
    error,
  );
  input.addEventListener("input", () => {
    model.set("address", input.value);
    model.save_changes();
  });

  /** @param {View} view */
  function update(view) {
    if (input.value !== model.get("address")) input.value = model.get("address");
    set(input, "aria-invalid", view.address_error !== "");
    say(error, view.address_error);
  }
  return { node, update };
}

/** The picture, whose bits are switches: one of them is in the tab order, the arrow keys move it. */
function picture(model) {
  const svg = /** @type {SVGElement} */ (document.createElementNS(SVG, "svg"));
  svg.setAttribute("class", "pgtlab-picture");
  svg.setAttribute("role", "group");
  const noBoot = element("div", { class: "pgtlab-explorer-no-boot", role: "status" });
  const scroll = element("div", { class: "pgtlab-explorer-scroll" }, svg);
  const node = element("div", {}, noBoot, scroll);
  const nodes = new Map();
  let current = 63;

  const bit = (n) => nodes.get(`bit-${n}`);
  function rove(n) {
    bit(current)?.setAttribute("tabindex", "-1");
    current = n;
    bit(current)?.setAttribute("tabindex", "0");
  }
  const flip = (n) => model.send({ flip: n });

  svg.addEventListener("click", (event) => {
    const n = event.target.getAttribute("data-bit");
    if (n === null) return;
    rove(Number(n));
    bit(current).focus();
    flip(current);
  });
  svg.addEventListener("keydown", (event) => {
    if (!event.target.hasAttribute("data-bit")) return;
    const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    if (step) rove(Math.min(63, Math.max(0, current + step)));
    else if (event.key === "Home") rove(63);
    else if (event.key === "End") rove(0);
    else if (event.key === " " || event.key === "Enter") flip(current);
    else return;
    bit(current).focus();
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has its own use for these keys
  });

  /** @param {View} view */
  function update(view) {
    noBoot.hidden = view.picture !== null;
    scroll.hidden = view.picture === null;
    say(noBoot, view.no_boot);
    if (view.picture === null) return;
    patch(svg, nodes, view.picture);
    for (let n = 0; n < 64; n++) set(bit(n), "tabindex", n === current ? "0" : "-1");
  }
  return { node, update };
}

/** The table of what changed. */
function changeTable() {
  const caption = element("caption");
  const head = element("tr", {}, ...["", "before", "after"].map((name) => element("th", { scope: "col" }, name)));
  const first = element("tbody");
  const rest = element("tbody");
  const summary = element("summary");
  const more = element("details", {}, summary, element("table", { "aria-label": "More changes" }, rest));
  const table = element("table", {}, caption, element("thead", {}, head), first);
  const node = element("div", {}, table, more);

  const row = ({ name, before, after }) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, before ?? "–"), element("td", {}, after ?? "–"));

  /** @param {View} view */
  function update(view) {
    const { title, rows } = view.changes;
    table.hidden = rows.length === 0;
    more.hidden = rows.length <= SHOWN;
    say(caption, title);
    say(summary, `and ${rows.length - SHOWN} more`);
    first.replaceChildren(...rows.slice(0, SHOWN).map(row));
    rest.replaceChildren(...rows.slice(SHOWN).map(row));
  }
  return { node, update };
}

function render({ model, el }) {
  const id = `pgtlab-explorer-${views++}`;
  const parts = [toggles(model, id), addressField(model, id), picture(model), changeTable()];
  const update = () => parts.forEach((part) => part.update(model.get("view")));
  el.classList.add("pgtlab-explorer");
  el.append(...parts.map((part) => part.node));
  update();
  model.on("change:view", update);
  return () => model.off("change:view", update);
}

export default { render };
