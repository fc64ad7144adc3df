// @ts-check
// The room for pictures on the page: behind which edges of a wider one there is more, and the room for one that follows it.

export const WIDE = 1024; // pixels of the page, as in view.py: more room changes nothing
const STEP = 32; // pixels; small changes of the room change nothing

/**
 * The room for a picture in `root`, in steps; undefined where it is unknown.
 * @param {HTMLElement} root
 */
export const room = (root) => (root.clientWidth ? Math.min(WIDE, Math.floor(root.clientWidth / STEP) * STEP) : undefined);

/**
 * Mark the edges of all pictures in `root` behind which there is more, for the style sheet to shade.
 * @param {HTMLElement} root
 */
export function markEdges(root) {
  for (const jump of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-jump]"))) {
    const item = root.querySelector(`[data-item="${jump.dataset.jump}"]`);
    const [box, at] = [item?.closest("[data-group]")?.getBoundingClientRect(), item?.getBoundingClientRect()];
    const where = !box || !at ? "" : at.bottom < box.top + 4 ? "up" : at.top > box.bottom - 4 ? "down" : "";
    if (jump.dataset.where !== where) jump.dataset.where = where;
  }
  for (const frame of root.querySelectorAll(".edges")) {
    const { scrollLeft, clientWidth, scrollWidth } = /** @type {Element} */ (frame.firstElementChild);
    frame.toggleAttribute("data-left", scrollLeft > 1);
    frame.toggleAttribute("data-right", scrollLeft + clientWidth < scrollWidth - 1);
  }
}
