// Methods and statuses in their colours. People who do not see those read the words.

import { element } from "./dom.js";

export function methodBadge(method) {
  return element("span", { class: `method ${method.toLowerCase()}` }, method === "DELETE" ? "DEL" : method);
}

/** @param text the status, and what may stand beside it: `404 Not Found`. */
export function statusBadge(text) {
  return element("span", { class: `status ${statusKind(text)}` }, text);
}

/** Good, elsewhere, the caller's doing or the shop's. */
function statusKind(text) {
  return { 2: "good", 3: "elsewhere", 4: "refused" }[text[0]] ?? "failed";
}
