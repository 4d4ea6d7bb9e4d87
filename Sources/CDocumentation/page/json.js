// JSON as a person reads it. The text is laid out anew and never read into numbers: what a service wrote as 9.90 stays 9.90, and an id of 19 digits
// keeps them all.

import { element } from "./dom.js";

const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/g;

/** The same JSON with line breaks and indentation; a text that is no JSON as it is. */
export function indented(text) {
  if (!isJSON(text)) return text;
  let result = "";
  let depth = 0;
  let before = "";
  for (const [piece] of text.matchAll(token)) {
    const closes = piece === "}" || piece === "]";
    if (closes) depth -= 1;
    const isEmpty = closes && (before === "{" || before === "[");
    if (!isEmpty && (closes || before === "{" || before === "[" || before === ",")) result += "\n" + "  ".repeat(depth);
    result += piece === ":" ? ": " : piece;
    if (piece === "{" || piece === "[") depth += 1;
    before = piece;
  }
  return result;
}

export function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A block of JSON with its names, texts and numbers told apart. */
export function jsonBlock(text, attributes = {}) {
  const layout = indented(text);
  const code = element("code");
  if (isJSON(text)) {
    let end = 0;
    for (const match of layout.matchAll(token)) {
      const kind = kindOf(match[0], layout.slice(match.index + match[0].length));
      if (!kind) continue;
      code.append(layout.slice(end, match.index), element("span", { class: kind }, match[0]));
      end = match.index + match[0].length;
    }
    code.append(layout.slice(end));
  } else {
    code.append(layout);
  }
  return element("pre", { class: "block", tabindex: "0", ...attributes }, code);
}

function kindOf(piece, rest) {
  if (piece[0] === '"') return rest[0] === ":" ? "name" : "string";
  return /^[-\dtfn]/.test(piece) ? "number" : null;
}
