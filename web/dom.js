/* dom.js — the few helpers that every part of the page uses. What a reading says is only ever set as text
 * or as an attribute's value, never as markup. */

export const $ = (id) => document.getElementById(id);
export const percent = (share) => `${Math.round(share * 100)} %`;

export function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/* Places an element over [x, y, width, height] of the page, in shares of it. */
export function place(over, box, shown) {
  const [x, y, width, height] = box;
  over.style.left = `${(100 * x) / shown.width}%`;
  over.style.top = `${(100 * y) / shown.height}%`;
  over.style.width = `${(100 * width) / shown.width}%`;
  over.style.height = `${(100 * height) / shown.height}%`;
  return over;
}
