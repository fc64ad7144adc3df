// @ts-check
// The explorer's view. What is on the page is a function of the model's trait `view` and of where the reader is; what
// the reader does goes to Python as a message. Nothing is computed here.

/**
 * @typedef {{key: string, tag: string, attributes: Record<string, string|number>, text: string, hint: string}} Shape
 * @typedef {{width: number, height: number, title: string, description: string, shapes: Shape[]}} Picture
 * @typedef {{label: string, selected: boolean, choose: object, rule: string, remedy: string, note: string}} Option
 * @typedef {{name: string, before: string|null, after: string|null}} Row
 * @typedef {{
 *   choices: {label: string, options: Option[]}[],
 *   address: {text: string, error: string, meaning: string, names: string[]},
 *   picture: Picture|null,
 *   stuck: string,
 *   changes: {title: string, groups: {name: string, rows: Row[]}[]},
 * }} View
 *
 * What the reader has come to: the item of each group that Tab stops at, the option that is pointed at, and what the
 * line below the toggles tells, of which option.
 * @typedef {{id: string, stops: Record<string, string>, pointed: string, told: string, note: string}} Reader
 *
 * An element that is wanted on the page. Attributes that are null are left out.
 * @typedef {{
 *   key: string, tag: string, attributes?: Record<string, string|number|boolean|null>,
 *   text?: string, children?: Wanted[],
 * }} Wanted
 */

const SHOWN = 6; // rows of a group of changes; the rest unfold

/** @type {WeakMap<Element, Wanted>} */
const present = new WeakMap();

/**
 * Make the children of `parent` those that are wanted. An element keeps its identity by key, and with it focus, what
 * is typed or unfolded in it, and its place in the accessibility tree; only what differs is touched.
 * @param {Element} parent
 * @param {Wanted[]} wanted
 */
function patch(parent, wanted) {
  const have = new Map(Array.from(parent.children, (child) => [present.get(child)?.key, child]));
  const keys = new Set(wanted.map(({ key }) => key));
  for (const [key, child] of have) if (!keys.has(key ?? "")) child.remove();
  let next = parent.firstElementChild;
  for (const node of wanted) {
    const namespace = node.tag === "svg" ? "http://www.w3.org/2000/svg" : parent.namespaceURI;
    const element = have.get(node.key) ?? document.createElementNS(namespace, node.tag);
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
    const before = present.get(element);
    present.set(element, node);
    for (const [name, value] of Object.entries({ ...node.attributes })) {
      if (before?.attributes?.[name] === value) continue;
      if (value === null) element.removeAttribute(name);
      else element.setAttribute(name, String(value));
    }
    for (const name of Object.keys({ ...before?.attributes }))
      if (!(name in (node.attributes ?? {}))) element.removeAttribute(name);
    if (node.children) patch(element, node.children);
    else if (before?.text !== node.text) element.textContent = node.text ?? "";
  }
}

/**
 * @param {string} tag
 * @param {string} key
 * @param {Wanted["attributes"]} attributes
 * @param {string|Wanted[]} content
 * @returns {Wanted}
 */
function h(tag, key, attributes, content = []) {
  return typeof content === "string"
    ? { tag, key, attributes, text: content }
    : { tag, key, attributes, children: content };
}

/** The item of `group` that Tab stops at: where the reader was, or the first choice of `keys`. */
const stop = (/** @type {Reader} */ reader, /** @type {string} */ group, /** @type {string[]} */ keys) =>
  keys.includes(reader.stops[group]) ? reader.stops[group] : keys[0];

/**
 * The toggles, a toolbar for each choice.
 * @param {View} view
 * @param {Reader} reader
 */
function toggles(view, reader) {
  const toolbars = view.choices.map(({ label, options }) => {
    const keys = options.map((option) => `${label}/${option.label}`);
    const at = stop(reader, label, [...keys.filter((_, i) => options[i].selected), ...keys]);
    const buttons = options.map((option, i) =>
      h(
        "button",
        keys[i],
        {
          type: "button",
          "data-item": keys[i],
          tabindex: keys[i] === at ? 0 : -1,
          "aria-pressed": option.selected,
          "aria-disabled": option.rule ? true : null,
          title: option.rule || option.note || null,
        },
        option.label,
      ),
    );
    const toolbar = { role: "toolbar", "aria-label": label, "data-group": label };
    return h("div", label, { class: "choice" }, [
      h("span", "label", { class: "label", "aria-hidden": true }, label),
      h("div", "options", toolbar, buttons),
    ]);
  });
  return h("div", "toggles", { class: "toggles" }, toolbars);
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
  const says = option ? option.rule || option.note : reader.note;
  const remedy = option?.remedy && option === told;
  const button = { type: "button", "data-remedy": reader.told, "aria-describedby": `${reader.id}-rule` };
  return h("div", "line", { class: "line" }, [
    h("span", "rule", { id: `${reader.id}-rule` }, says),
    ...(remedy ? [h("button", "remedy", button, option.remedy)] : []),
  ]);
}

/**
 * The address field, what it means, and what is wrong with it.
 * @param {View} view
 * @param {Reader} reader
 */
function address({ address }, reader) {
  const names = address.names.map((name) => h("option", name, { value: name }));
  const input = {
    id: `${reader.id}-address`,
    type: "text",
    list: `${reader.id}-names`,
    spellcheck: false,
    autocomplete: "off",
    "aria-invalid": address.error !== "",
    "aria-describedby": `${reader.id}-meaning ${reader.id}-error`,
  };
  return h("div", "address", { class: "address" }, [
    h("label", "label", { class: "label", for: `${reader.id}-address` }, "Address"),
    h("input", "input", input),
    h("datalist", "names", { id: `${reader.id}-names` }, names),
    h("output", "meaning", { id: `${reader.id}-meaning` }, address.meaning),
    h("div", "error", { id: `${reader.id}-error`, class: "error", role: "alert" }, address.error),
  ]);
}

/**
 * The picture. A shape with `data-bit` is a switch.
 * @param {View} view
 * @param {Reader} reader
 */
function picture({ picture, stuck }, reader) {
  if (!picture) return [h("p", "stuck", { class: "stuck" }, stuck)];
  const bits = picture.shapes.filter((shape) => "data-bit" in shape.attributes).map((shape) => shape.key);
  const at = stop(reader, "bits", bits);
  const shapes = picture.shapes.map((shape) => {
    const flips = {
      role: "switch",
      "data-item": shape.key,
      tabindex: shape.key === at ? 0 : -1,
      "aria-checked": shape.attributes["data-value"] === "1",
      "aria-label": shape.hint,
    };
    const attributes = "data-bit" in shape.attributes ? { ...shape.attributes, ...flips } : shape.attributes;
    return h(shape.tag, shape.key, attributes, shape.hint ? [h("title", "hint", {}, shape.hint)] : shape.text);
  });
  const svg = {
    class: "pgtlab-picture",
    viewBox: `0 0 ${picture.width} ${picture.height}`,
    width: picture.width,
    height: picture.height,
    role: "group",
    "aria-label": picture.title,
    "data-group": "bits",
  };
  return [
    h("div", "picture", { class: "scroll" }, [h("svg", "svg", svg, shapes)]),
    h("details", "text", {}, [h("summary", "summary", {}, "The same as text"), h("pre", "pre", {}, picture.description)]),
  ];
}

/**
 * What the last choice changed, a table for each group.
 * @param {View} view
 */
function changes({ changes }) {
  const row = (/** @type {Row} */ { name, before, after }) =>
    h("tr", name, {}, [
      h("th", "name", { scope: "row" }, name),
      h("td", "before", {}, before ?? "–"),
      h("td", "after", {}, after ?? "–"),
    ]);
  const head = ["name", "before", "now"].map((name) => h("th", name, { scope: "col" }, name));
  const table = (/** @type {string} */ key, /** @type {string} */ caption, /** @type {Row[]} */ rows) =>
    h("table", key, {}, [
      h("caption", "caption", {}, caption),
      h("thead", "head", {}, [h("tr", "row", {}, head)]),
      h("tbody", "body", {}, rows.map(row)),
    ]);
  const groups = changes.groups.map(({ name, rows }) => {
    const more = rows.slice(SHOWN);
    const unfold = [h("summary", "summary", {}, `and ${more.length} more`), table("rest", `${name}, continued`, more)];
    return h("div", name, { class: "group" }, [
      table("first", name, rows.slice(0, SHOWN)),
      ...(more.length ? [h("details", "more", {}, unfold)] : []),
    ]);
  });
  return h("div", "changes", { class: "changes" }, [
    h("p", "title", { role: "status" }, changes.title),
    h("div", "groups", { class: "groups" }, groups),
  ]);
}

/**
 * The option called `item` in a view.
 * @param {View} view
 * @param {string} item
 */
function find(view, item) {
  return view.choices.flatMap(({ label, options }) => options.filter((o) => `${label}/${o.label}` === item))[0];
}

let views = 0;

/** @param {{model: any, el: HTMLElement}} arguments */
function render({ model, el }) {
  /** @type {Reader} */
  const reader = { id: `pgtlab-explorer-${++views}`, stops: {}, pointed: "", told: "", note: "" };
  const root = document.createElement("div");
  let typed = ""; // what the field held when it was last set from the model
  /** @type {View} */
  let view;

  function receive() {
    view = JSON.parse(model.get("view"));
    draw();
  }

  function draw() {
    if (!find(view, reader.told)?.rule) reader.told = "";
    patch(root, [toggles(view, reader), line(view, reader), address(view, reader), ...picture(view, reader), changes(view)]);
    const input = /** @type {HTMLInputElement} */ (root.querySelector("input"));
    if (view.address.text !== typed) input.value = typed = view.address.text;
  }

  /** @param {Option} option */
  function choose(option) {
    Object.assign(reader, { told: "", note: option.note });
    model.send({ choose: option.choose });
    draw();
  }

  /** The item that an event is about. */
  const item = (/** @type {Event} */ event) =>
    /** @type {HTMLElement|SVGElement|null} */ (/** @type {Element} */ (event.target).closest("[data-item]"));

  /** @type {Record<string, (event: any) => void>} */
  const on = {
    click(event) {
      const remedy = event.target.closest("[data-remedy]");
      const one = item(event);
      const option = find(view, (remedy ?? one)?.dataset[remedy ? "remedy" : "item"] ?? "");
      if (remedy) {
        /** @type {HTMLElement} */ (root.querySelector(`[data-item="${reader.told}"]`)).focus();
        choose(option);
      } else if (option?.rule) {
        reader.told = one?.dataset.item ?? "";
        draw();
        /** @type {HTMLElement} */ (root.querySelector("[data-remedy]")).focus();
      } else if (option) {
        choose(option);
      } else if (one) {
        one.focus();
        model.send({ flip: one.dataset.bit });
      }
    },

    keydown(event) {
      // JupyterLab has its own use for arrows, Enter and letters; its Ctrl-S and Shift-Enter are left to it.
      if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey) event.stopPropagation();
      if (event.key === "Enter" && event.target.matches("input")) model.send({ address: event.target.value });
      const one = item(event);
      const group = one?.closest("[data-group]");
      if (!one || !group) return;
      const items = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[data-item]")]);
      const at = items.indexOf(/** @type {HTMLElement} */ (one));
      /** @type {Record<string, number>} */
      const moves = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 };
      if (event.key in moves) items[moves[event.key]]?.focus();
      else if ("bit" in one.dataset && (event.key === " " || event.key === "Enter")) model.send({ flip: one.dataset.bit });
      else return;
      event.preventDefault();
    },

    focusin(event) {
      const one = item(event);
      const group = /** @type {HTMLElement|null|undefined} */ (one?.closest("[data-group]"));
      if (!one || !group) return;
      reader.stops[group.dataset.group ?? ""] = one.dataset.item ?? "";
      if (find(view, one.dataset.item ?? "")?.rule) reader.told = one.dataset.item ?? "";
      draw();
    },

    pointerover(event) {
      const over = item(event)?.dataset.item ?? "";
      if (over === reader.pointed || over.startsWith("bit")) return;
      reader.pointed = over;
      draw();
    },

    pointerleave() {
      reader.pointed = "";
      draw();
    },

    change(event) {
      if (event.target.matches("input")) model.send({ address: event.target.value });
    },
  };

  root.className = "pgtlab-explorer";
  for (const [name, listener] of Object.entries(on)) root.addEventListener(name, listener);
  receive();
  el.append(root);
  model.on("change:view", receive);
  return () => model.off("change:view", receive);
}

export default { render };
