// The list of all operations by group, with a search.

import { methodBadge } from "./badges.js";
import { element, fill } from "./dom.js";

/** Builds the list into `nav`. What it returns marks the operation that is shown. */
export function installContents(nav, api) {
  const nothing = element("p", { class: "quiet nothing", hidden: true }, "Nothing matches.");
  const links = new Map();
  const groups = api.groups.map((group) => {
    const items = group.operations.map((operation) => {
      const link = operationLink(operation);
      links.set(operation.id, link);
      return { element: element("li", {}, link), words: wordsOf(operation, group) };
    });
    const section = element("section", {}, element("h2", {}, group.name), element("ul", {}, items.map((item) => item.element)));
    return { section, items };
  });
  const search = searchField((text) => {
    const found = filter(groups, text);
    nothing.hidden = found > 0;
  });
  fill(nav, search, groups.map((group) => group.section), nothing);
  return (id) => {
    for (const [other, link] of links) {
      if (other === id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    links.get(id)?.scrollIntoView({ block: "nearest" });
  };
}

function operationLink(operation) {
  return element("a", { href: `#/${operation.id}`, class: "operation-link" },
    methodBadge(operation.method), element("span", {}, operation.summary));
}

// MARK: Search

function searchField(onSearch) {
  const input = element("input", {
    type: "search", placeholder: "Search operations", "aria-label": "Search operations", autocomplete: "off", spellcheck: "false",
    oninput: () => onSearch(input.value),
    onkeydown: (event) => {
      if (event.key === "Escape") {
        input.value = "";
        onSearch("");
      }
      if (event.key === "Enter") document.querySelector(".contents li:not([hidden]) a")?.click();
    },
  });
  // A slash leads there from everywhere but from where one is typed.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    input.focus();
  });
  return element("div", { class: "search" }, input, element("kbd", { "aria-hidden": "true" }, "/"));
}

function wordsOf(operation, group) {
  return [operation.method, operation.path, operation.id, operation.summary, operation.description, group.name].join(" ").toLowerCase();
}

/** Shows the operations that have all the words. Gives how many those are. */
function filter(groups, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { section, items } of groups) {
    let inSection = 0;
    for (const item of items) {
      const matches = words.every((word) => item.words.includes(word));
      item.element.hidden = !matches;
      if (matches) inSection += 1;
    }
    section.hidden = inSection === 0;
    count += inSection;
  }
  return count;
}
