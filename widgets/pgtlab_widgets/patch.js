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
  const have = new Map(Array.from(parent.children, (child) => [present.get(child)?.key, child]));
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
