// One operation: what it promises, what it takes, and every answer that it can give.

import { methodBadge, statusBadge } from "./badges.js";
import { element, prose, unfolding } from "./dom.js";
import { jsonBlock } from "./json.js";
import { examplesOf } from "./sample.js";
import { schemaView } from "./schema.js";
import { trialView } from "./trial.js";

export function operationView(operation, group, api) {
  const trial = element("aside", { class: "trial", "aria-label": "Try it" }, trialView(operation, api));
  const jump = () => {
    trial.scrollIntoView();
    trial.querySelector("input, select, textarea, button").focus({ preventScroll: true });
  };
  return element("article", { class: "operation" },
    element("div", { class: "operation-head" },
      element("p", { class: "eyebrow" }, group.name),
      element("h1", { tabindex: "-1" }, operation.summary),
      element("p", { class: "endpoint" }, methodBadge(operation.method), pathView(operation.path)),
      prose(operation.description, "p", { class: "lead" }),
      element("p", { class: `audience ${operation.audience.kind}` },
        element("span", { class: "quiet" }, "For "), operation.audience.text.toLowerCase()),
      element("button", { type: "button", class: "button jump", onclick: jump }, "Try it")),
    element("div", { class: "operation-text" },
      parametersView(operation.parameters, api),
      bodyView(operation.body, api),
      responsesView(operation.responses, api)),
    trial);
}

/** A path with its parameters marked; it may break at each slash. */
function pathView(path) {
  const pieces = path.split("/").slice(1).map((piece) => [
    element("wbr"), "/", piece.startsWith("{") ? element("em", {}, piece) : piece,
  ]);
  return element("code", { class: "path" }, pieces);
}

function section(title, ...content) {
  return element("section", {}, element("h2", {}, title), content);
}

// MARK: What goes in

const places = { path: "in the path", query: "in the query", header: "header", cookie: "cookie" };

function parametersView(parameters, api) {
  if (parameters.length === 0) return null;
  return section("Parameters", element("ul", { class: "members framed" }, parameters.map((parameter) =>
    element("li", { class: "member" },
      element("div", { class: "member-head" },
        element("code", { class: "member-name" }, parameter.name),
        element("span", { class: "place" }, places[parameter.in]),
        parameter.required && element("span", { class: "required" }, "required")),
      schemaView(parameter.schema ?? {}, api),
      parameter.description && prose(parameter.description, "p", { class: "member-text" })))));
}

function bodyView(body, api) {
  if (!body) return null;
  return section("Body", body.description && prose(body.description), Object.entries(body.content).map(([type, media]) => [
    element("p", { class: "media-type" }, element("code", {}, type), body.required && element("span", { class: "required" }, "required")),
    mediaView(media, api),
  ]));
}

function mediaView(media, api) {
  const description = media.schema && api.resolve(media.schema).description;
  return [
    description && prose(description),
    media.schema && element("div", { class: "framed" }, schemaView(media.schema, api)),
    examplesOf(media, api).map(({ name, value }) => exampleView(name, value)),
  ];
}

function exampleView(name, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return element("figure", { class: "example" }, element("figcaption", {}, name === "example" ? "Example" : `Example: ${name}`), jsonBlock(text));
}

// MARK: What comes out

function responsesView(responses, api) {
  const good = responses.filter(({ status }) => status < "300");
  return section("Answers", element("div", { class: "answers" }, responses.map((response) =>
    unfolding(
      [statusBadge(response.status), prose(response.description, "span")],
      () => responseBody(response, api),
      // The first good one is what most people come for.
      { class: "answer", open: response === good[0] }))));
}

function responseBody(response, api) {
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) => [name, api.resolve(header)]);
  const content = Object.entries(response.content ?? {});
  return element("div", { class: "answer-body" },
    content.length === 0 && element("p", { class: "quiet" }, "Without a body."),
    content.map(([type, media]) => [element("p", { class: "media-type" }, element("code", {}, type)), mediaView(media, api)]),
    headers.length > 0 && unfolding("Headers", () => element("dl", { class: "headers" }, headers.map(([name, header]) => [
      element("dt", {}, element("code", {}, name)), prose(header.description, "dd"),
    ])), { class: "inside" }));
}
