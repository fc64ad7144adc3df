// @ts-check
// Elements that are wanted, patched into the page with few changes.

/** @typedef {import("./page.js").Wanted} Wanted */

/** @type {WeakMap<Element, Wanted>} what each element shows */
const present = new WeakMap();
/** @type {WeakMap<Element, Element[]>} what is in an element, without a copy that fades: it is at the end, and goes by itself */
const within = new WeakMap();

/**
 * Make the children of `parent` those in `wanted`, changing only what differs. An element keeps its identity by its key,
 * and so its focus, what is typed or unfolded in it, and its place in the accessibility tree.
 * @param {Element} parent
 * @param {Wanted[]} wanted
 */
export function patch(parent, wanted) {
  const had = within.get(parent) ?? [];
  const same = had.length === wanted.length && wanted.every((node, i) => shows(had[i], node));
  const has = same ? had : arrange(parent, had, wanted);
  within.set(parent, has);
  wanted.forEach((node, i) => update(has[i], node));
}

/**
 * Whether an element can become what is wanted.
 * @param {Element|undefined} element
 * @param {Wanted} node
 */
const shows = (element, { key, tag }) => element?.localName === tag && present.get(element)?.key === key;

/**
 * Remove, make and move children, so that there is one for each that is wanted.
 * @param {Element} parent
 * @param {Element[]} had
 * @param {Wanted[]} wanted
 */
function arrange(parent, had, wanted) {
  const have = new Map(had.map((element) => [present.get(element)?.key, element]));
  const kept = wanted.map((node) => (shows(have.get(node.key), node) ? have.get(node.key) : undefined));
  const stay = new Set(kept);
  for (const element of had) if (!stay.has(element)) element.remove();
  let next = parent.firstElementChild;
  return wanted.map((node, i) => {
    const element = kept[i] ?? document.createElementNS(node.tag === "svg" ? "http://www.w3.org/2000/svg" : parent.namespaceURI, node.tag);
    if (!kept[i]) update(element, node); // before it is on the page, where each change costs more
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
    return element;
  });
}

/**
 * Make an element show what is wanted.
 * @param {Element} element
 * @param {Wanted} node
 */
function update(element, node) {
  const before = present.get(element);
  if (before === node) return;
  present.set(element, node);
  const [had, has] = [before?.attributes ?? {}, node.attributes ?? {}];
  if (node.tag === "rect" && before && folds(had) !== folds(has)) collapse(element, had, has);
  for (const name in has) {
    if (had[name] === has[name]) continue;
    if (has[name] === null) element.removeAttribute(name);
    else element.setAttribute(name, String(has[name]));
  }
  for (const name in had) if (!(name in has)) element.removeAttribute(name);
  if (node.children) return patch(element, node.children);
  within.delete(element);
  if (before?.text !== node.text) element.textContent = node.text ?? "";
}

const FOLDING = 160; // milliseconds

/** Whether a box is that of a level that is folded. */
const folds = (/** @type {Wanted["attributes"]} */ attributes) => /\b(folded|run-time)\b/.test(`${attributes?.class}`);

/**
 * Show that a level folds or unfolds: a copy of its old box shrinks or grows into the new one and fades. It lies over the new
 * picture, which is there at once. Being a transform, it costs the page no layout.
 * @param {Element} element
 * @param {any} had
 * @param {any} has
 */
function collapse(element, had, has) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const copy = /** @type {SVGElement} */ (element.cloneNode());
  for (const name of copy.getAttributeNames()) if (!(name in { x: 1, y: 1, width: 1, height: 1, class: 1 })) copy.removeAttribute(name);
  copy.setAttribute("aria-hidden", "true");
  copy.dataset.fading = "true";
  copy.style.pointerEvents = "none";
  element.parentElement?.append(copy);
  const [across, down] = [has.width / had.width, has.height / had.height];
  const there = `translate(${has.x - across * had.x}px, ${has.y - down * had.y}px) scale(${across}, ${down})`;
  copy.animate([{ opacity: 0.8 }, { transform: there, opacity: 0 }], { duration: FOLDING, easing: "ease-out" }).onfinish = () => copy.remove();
}
