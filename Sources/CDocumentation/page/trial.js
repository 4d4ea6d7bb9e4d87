// The form that sends an operation's request to the shop that this page came from, and shows what comes back.

import { statusBadge } from "./badges.js";
import { curl } from "./curl.js";
import { copyButton, element, fill, unfolding } from "./dom.js";
import { indented, isJSON, jsonBlock } from "./json.js";
import { examplesOf, sampleOf } from "./sample.js";
import { accessToken, onSession, takeSession } from "./session.js";

const maximumShownCharacters = 200_000;

export function trialView(operation, api) {
  const inputs = operation.parameters.map((parameter) => ({ parameter, input: parameterInput(parameter, api) }));
  const body = operation.body && bodyInput(operation.body, api);
  const hint = element("p", { class: "quiet hint" });
  const command = element("code");
  const result = element("div", { class: "result", role: "status" });
  const send = element("button", { class: "button primary" }, "Send");
  const request = () => requestOf(operation, inputs, body);
  const form = element("form", { class: "fields" },
    inputs.map(({ parameter, input }) => parameterField(parameter, input)), body?.field, hint, element("div", { class: "buttons" }, send));
  const refresh = () => {
    command.textContent = curl(request(), operation.takesToken && (accessToken() || operation.audience.kind !== "anyone"));
    hint.textContent = hintOf(operation);
  };
  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(request(), operation, send, result);
  });
  onSession(form, refresh);
  return [
    element("h2", {}, "Try it"), form, result,
    element("div", { class: "command" },
      element("div", { class: "block-head" }, element("h3", {}, "As a command"), copyButton(() => command.textContent)),
      element("pre", { class: "block unbroken", tabindex: "0" }, command)),
  ];
}

function hintOf(operation) {
  if (!operation.takesToken) return "";
  if (accessToken()) return "Sent with your access token.";
  return operation.audience.kind === "anyone" ? "Sent without a token: you are not signed in." : "Sign in first: this takes an access token.";
}

// MARK: The fields

function parameterInput(parameter, api) {
  const schema = api.resolve(parameter.schema ?? {});
  const attributes = { name: parameter.name, required: parameter.required };
  if (schema.enum && schema.enum.length <= 20) {
    const choices = parameter.required ? schema.enum : ["", ...schema.enum];
    return element("select", attributes, choices.map((choice) => element("option", { value: choice }, choice === "" ? "any" : choice)));
  }
  const example = examplesOf(parameter, api)[0]?.value ?? schema.examples?.[0];
  // What is not asked for is left empty: a filter that nobody chose would only hide things.
  const value = parameter.name === "Idempotency-Key" ? newKey() : parameter.required ? example ?? "" : "";
  return element("input", { ...attributes, value, placeholder: example, autocomplete: "off", spellcheck: "false" });
}

function parameterField(parameter, input) {
  const name = element("span", { class: "field-name" }, parameter.name, !parameter.required && element("span", { class: "quiet" }, " optional"));
  const label = element("label", { class: "field" }, name, input);
  if (parameter.name !== "Idempotency-Key") return label;
  const renew = () => {
    input.value = newKey();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return element("div", { class: "with-button" }, label, element("button", { type: "button", class: "button", onclick: renew }, "New key"));
}

/** 128 random bits. `crypto.randomUUID` is not to be had without TLS elsewhere than on this machine; this is. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bodyInput(body, api) {
  const [type, media] = Object.entries(body.content)[0];
  const examples = examplesOf(media, api);
  if (examples.length === 0) examples.push({ name: "example", value: sampleOf(media.schema ?? {}, api) });
  const area = element("textarea", { name: "body", spellcheck: "false", autocapitalize: "off", "aria-label": "Body" });
  const mistake = element("span", { class: "mistake", role: "alert" });
  const show = (example) => {
    area.value = indented(JSON.stringify(example.value));
    // Some lines more than there are, within reason: it can be dragged larger.
    area.rows = Math.min(18, Math.max(4, area.value.split("\n").length + 1));
    mistake.textContent = "";
  };
  area.addEventListener("input", () => (mistake.textContent = isJSON(area.value) ? "" : "This is no JSON yet."));
  show(examples[0]);
  const choose = examples.length > 1 && element("select", {
    "aria-label": "Example", onchange: (event) => show(examples[event.target.selectedIndex]),
  }, examples.map(({ name }) => element("option", {}, name)));
  const head = element("span", { class: "block-head" }, element("span", { class: "field-name" }, "Body"), choose);
  return { type, text: () => area.value, field: element("div", { class: "field" }, head, area, mistake) };
}

// MARK: The request

function requestOf(operation, inputs, body) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = [];
  for (const { parameter, input } of inputs) {
    const value = input.value;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value) || `{${parameter.name}}`);
    if (value === "") continue;
    if (parameter.in === "query") query.append(parameter.name, value);
    if (parameter.in === "header") headers.push([parameter.name, value]);
  }
  if (body) headers.push(["Content-Type", body.type]);
  const text = query.toString();
  return {
    method: operation.method, url: location.origin + path + (text && `?${text}`), headers, body: body?.text(),
  };
}

function authorization(operation) {
  return operation.takesToken && accessToken() ? [["Authorization", `Bearer ${accessToken()}`]] : [];
}

/** Sends a request and shows what comes back, as it comes. */
async function run(request, operation, send, result) {
  const stop = new AbortController();
  const ended = new AbortController();
  // Who goes to another operation waits no longer.
  window.addEventListener("hashchange", () => stop.abort(), { signal: ended.signal });
  const waiting = element("p", { class: "quiet waiting" },
    element("span", {}, "Waiting for the answer…"),
    element("button", { type: "button", class: "button small", onclick: () => stop.abort() }, "Stop"));
  fill(result, waiting);
  send.disabled = true;
  const start = performance.now();
  try {
    const response = await fetch(request.url, {
      method: request.method, headers: [...request.headers, ...authorization(operation)], body: request.body, signal: stop.signal,
      credentials: "omit", cache: "no-store", redirect: "manual",
    });
    waiting.before(headView(response, performance.now() - start));
    result.scrollIntoView({ block: "nearest" });
    const text = await showBody(response, waiting);
    if (operation.path === "/api/users/login" && response.ok) takeSession(JSON.parse(request.body).email, JSON.parse(text));
  } catch (error) {
    const reason = error.name === "AbortError" ? "Stopped." : `There was no answer: ${error.message}.`;
    waiting.after(element("p", { class: "mistake" }, reason));
  } finally {
    waiting.remove();
    ended.abort();
    send.disabled = false;
  }
}

// MARK: The answer

function headView(response, milliseconds) {
  return element("div", {},
    element("p", { class: "answer-line" },
      statusBadge(`${response.status} ${response.statusText}`.trim()), element("span", { class: "quiet" }, `${Math.round(milliseconds)} ms`)),
    unfolding("Headers", () => element("dl", { class: "headers" }, [...response.headers].map(([name, value]) => [
      element("dt", {}, element("code", {}, name)), element("dd", {}, element("code", {}, value)),
    ])), { class: "inside" }));
}

/** Shows the body before `waiting`, and gives its text once it has ended. */
async function showBody(response, waiting) {
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) return showEvents(response, waiting);
  const text = await response.text();
  waiting.before(text === "" ? element("p", { class: "quiet" }, "Without a body.") : bodyView(text));
  return text;
}

function bodyView(text) {
  const shown = text.length > maximumShownCharacters ? `${text.slice(0, maximumShownCharacters)}\n…` : text;
  return element("div", {}, element("div", { class: "block-head" }, element("h3", {}, "Body"), copyButton(() => text)), jsonBlock(shown));
}

/** Events as they come, until the service or the visitor ends it. */
async function showEvents(response, waiting) {
  const code = element("code");
  waiting.before(element("pre", { class: "block", tabindex: "0" }, code));
  waiting.firstChild.textContent = "Events are shown as they come.";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return code.textContent;
    code.textContent = (code.textContent + value).slice(-maximumShownCharacters);
  }
}
