// @ts-check
// The edges of pictures that are wider than the page: behind which of them there is more.

/**
 * Mark the edges of all pictures in `root` behind which there is more, for the style sheet to shade.
 * @param {HTMLElement} root
 */
export function markEdges(root) {
  for (const frame of root.querySelectorAll(".edges")) {
    const { scrollLeft, clientWidth, scrollWidth } = /** @type {Element} */ (frame.firstElementChild);
    frame.toggleAttribute("data-left", scrollLeft > 1);
    frame.toggleAttribute("data-right", scrollLeft + clientWidth < scrollWidth - 1);
  }
}
