// All that the page shows is made here. What the document says goes in as text: no markup is ever made of it.

/**
 * An element with attributes, listeners (`onclick`) and children, which are elements and texts. What is null, undefined or false is left out,
 * among attributes and children.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...shown(children));
  return made;
}

/** Puts children in the place of those that are there. */
export function fill(parent, ...children) {
  parent.replaceChildren(...shown(children));
  return parent;
}

function shown(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** A text in which `backticks` stand for code, as texts of the document have them. */
export function prose(text, tag = "p", attributes = {}) {
  const pieces = (text ?? "").split("`");
  // A backtick without a second one is just that.
  if (pieces.length % 2 === 0) return element(tag, attributes, text);
  return element(tag, attributes, pieces.map((piece, index) => (index % 2 ? inlineCode(piece) : piece)));
}

/** What is short stays on one line. */
function inlineCode(text) {
  return element("code", { class: text.length <= 24 && "short" }, text);
}

/** Something to unfold. Its content is made when it is first opened, so that what contains itself comes to an end. */
export function unfolding(summary, content, attributes = {}) {
  const details = element("details", attributes, element("summary", {}, summary));
  const make = () => details.append(...shown([content()]));
  if (attributes.open) make();
  else details.addEventListener("toggle", make, { once: true });
  return details;
}

/** A button that copies what `text` gives, and says so. */
export function copyButton(text, label = "Copy") {
  const button = element("button", { type: "button", class: "button small" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      // Without TLS, elsewhere than on this machine, browsers have no clipboard for pages.
      button.textContent = "Not allowed here";
    }
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}
