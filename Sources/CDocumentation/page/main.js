// Reads the document and shows what the address asks for: `#/` is the overview, `#/placeOrder` an operation.

import { API } from "./api.js";
import { methodBadge } from "./badges.js";
import { installContents } from "./contents.js";
import { element, fill, prose } from "./dom.js";
import { operationView } from "./operation.js";
import { installSession } from "./session.js";

const main = document.getElementById("main");
const contents = document.getElementById("contents");
const menu = document.getElementById("menu");

async function start() {
  installSession(document.getElementById("session"));
  installMenu();
  document.querySelector(".skip").addEventListener("click", (event) => {
    // The address says which operation is shown, and stays.
    event.preventDefault();
    main.focus();
  });
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  const api = new API(await response.json());
  document.getElementById("version").textContent = api.root.info.version;
  const mark = installContents(contents, api);
  window.addEventListener("hashchange", () => show(api, mark, true));
  show(api, mark, false);
}

/** @param moves whether somebody went here on this page: then the focus goes along. */
function show(api, mark, moves) {
  const operation = api.operation(location.hash.slice("#/".length));
  const group = operation && api.groups.find(({ name }) => name === operation.tags[0]);
  fill(main, operation ? operationView(operation, group, api) : overview(api));
  document.title = operation ? `${operation.summary} · Souk API` : "Souk API";
  mark(operation?.id);
  closeMenu();
  if (!moves) return;
  window.scrollTo(0, 0);
  main.querySelector("h1").focus({ preventScroll: true });
}

function overview(api) {
  const { info } = api.root;
  return element("article", { class: "overview" },
    element("h1", { tabindex: "-1" }, `${info.title} API`),
    prose(info.summary, "p", { class: "lead" }),
    prose(info.description),
    api.groups.map((group) => element("section", {},
      element("h2", {}, group.name),
      group.description && prose(group.description, "p", { class: "quiet" }),
      element("ul", { class: "cards" }, group.operations.map((operation) => element("li", {},
        element("a", { class: "card", href: `#/${operation.id}` },
          methodBadge(operation.method),
          element("span", { class: "card-text" }, element("span", {}, operation.summary), element("code", { class: "quiet" }, operation.path)),
          element("span", { class: `audience ${operation.audience.kind}` }, operation.audience.text))))))));
}

// MARK: The contents on a narrow screen

function installMenu() {
  menu.addEventListener("click", () => {
    const opens = menu.getAttribute("aria-expanded") === "false";
    menu.setAttribute("aria-expanded", String(opens));
    contents.classList.toggle("open", opens);
    if (opens) contents.querySelector("input")?.focus();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());
}

function closeMenu() {
  menu.setAttribute("aria-expanded", "false");
  contents.classList.remove("open");
}

start().catch((error) => {
  fill(main, element("p", { class: "notice mistake", role: "alert" }, `The document could not be read: ${error.message}.`));
});
