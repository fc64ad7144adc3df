// @ts-check
// Elements that are wanted, patched into the page with few changes.

/** @typedef {import("./page.js").Wanted} Wanted */

/** @type {WeakMap<Element, Wanted>} */
const present = new WeakMap();

/**
 * Make the children of `parent` those in `wanted`, changing only what differs. An element keeps its identity by its key,
 * and so its focus, what is typed or unfolded in it, and its place in the accessibility tree.
 * @param {Element} parent
 * @param {Wanted[]} wanted
 */
export function patch(parent, wanted) {
  // A copy that fades is at the end, and goes by itself.
  const ours = Array.from(parent.children).filter((child) => present.has(child));
  const have = new Map(ours.map((child) => [present.get(child)?.key, child]));
  const keys = new Set(wanted.map(({ key }) => key));
  for (const [key, child] of have) if (!keys.has(key ?? "")) child.remove();
  let next = parent.firstElementChild;
  for (const node of wanted) {
    const namespace = node.tag === "svg" ? "http://www.w3.org/2000/svg" : parent.namespaceURI;
    let element = have.get(node.key);
    if (element && element.localName !== node.tag) {
      if (element === next) next = element.nextElementSibling;
      element.remove();
      element = undefined;
    }
    element ??= document.createElementNS(namespace, node.tag);
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
    const before = present.get(element);
    present.set(element, node);
    const [had, has] = [before?.attributes ?? {}, node.attributes ?? {}];
    if (node.tag === "rect" && before && folds(had) !== folds(has)) collapse(element, had, has);
    for (const name in has) {
      if (had[name] === has[name]) continue;
      if (has[name] === null) element.removeAttribute(name);
      else element.setAttribute(name, String(has[name]));
    }
    for (const name in had) if (!(name in has)) element.removeAttribute(name);
    if (node.children) patch(element, node.children);
    else if (before?.text !== node.text) element.textContent = node.text ?? "";
  }
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
