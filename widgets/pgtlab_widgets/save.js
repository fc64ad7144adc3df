// @ts-check
// The picture of a view as a file, in the colours in which it is seen.

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "font-family", "font-size", "font-weight", "text-anchor"];
const SCALE = 2; // pixels of a PNG for each of the page

/**
 * Save the first picture in `root` as an SVG or a PNG.
 * @param {HTMLElement} root
 * @param {string} kind
 */
export function save(root, kind) {
  const svg = root.querySelector("svg.pgtlab-picture");
  if (!svg) return;
  const name = `${[...root.classList].at(-1)}.${kind.toLowerCase()}`;
  const text = standalone(/** @type {SVGSVGElement} */ (svg));
  const blob = new Blob([text], { type: "image/svg+xml" });
  if (kind === "SVG") return download(blob, name);
  const image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: SCALE * image.width, height: SCALE * image.height });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((png) => png && download(png, name));
    URL.revokeObjectURL(image.src);
  };
  image.src = URL.createObjectURL(blob);
}

/**
 * An SVG that needs no style sheet: its shapes have the styles that they have on the page, before its background.
 * @param {SVGSVGElement} svg
 */
function standalone(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const [shapes, copies] = [svg, copy].map((each) => each.querySelectorAll("rect, text, line"));
  copies.forEach((shape, i) => {
    const style = getComputedStyle(shapes[i]);
    for (const { name } of [...shape.attributes])
      if (name === "class" || name === "role" || name === "tabindex" || /^(data|aria)-/.test(name)) shape.removeAttribute(name);
    for (const property of STYLES) shape.setAttribute(property, style.getPropertyValue(property));
  });
  const title = document.createElementNS(copy.namespaceURI, "title");
  title.textContent = svg.getAttribute("aria-label");
  const ground = document.createElementNS(copy.namespaceURI, "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", background(svg)]]) ground.setAttribute(name, value);
  copy.prepend(title, ground);
  for (const name of ["class", "role", "aria-label", "data-group"]) copy.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}

/**
 * The colour behind an element.
 * @param {Element|null} element
 * @returns {string}
 */
function background(element) {
  if (!element) return "white";
  const colour = getComputedStyle(element).backgroundColor;
  return /^(transparent|rgba\(.*, 0\))$/.test(colour) ? background(element.parentElement) : colour;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
