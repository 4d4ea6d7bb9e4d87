// A JSON Schema as a list of members that unfold. What is nested is made when somebody looks, so that a schema may contain itself.

import { nameOf } from "./api.js";
import { element, prose, unfolding } from "./dom.js";

/** What a schema allows: its type and facts, and its members below. */
export function schemaView(schema, api) {
  const flat = flattened(schema, api);
  const inner = innerView(flat, api);
  return element("div", { class: "schema" }, element("div", { class: "member-head" }, typeLabel(schema, api), facts(flat)), inner?.());
}

/** The schema with references followed, and the parts of `allOf` made one. */
function flattened(schema, api) {
  const { allOf, ...own } = api.resolve(schema);
  if (!allOf) return own;
  const parts = [own, ...allOf.map((part) => flattened(part, api))];
  return {
    ...Object.assign({}, ...parts.toReversed()),
    properties: Object.assign({}, ...parts.map((part) => part.properties)),
    required: parts.flatMap((part) => part.required ?? []),
  };
}

// MARK: What is inside

/** Makes the view of what is inside a schema; null when there is nothing to unfold. */
function innerView(flat, api) {
  if (flat.properties) return () => members(flat, api);
  if (flat.items) return innerView(flattened(flat.items, api), api);
  const choices = flat.oneOf ?? flat.anyOf;
  if (choices?.some((choice) => innerView(flattened(choice, api), api))) return () => alternatives(choices, api);
  if (flat.contentSchema) return () => schemaView(flat.contentSchema, api);
  return null;
}

function members(flat, api) {
  const required = new Set(flat.required);
  const rows = Object.entries(flat.properties).map(([name, schema]) => member(name, schema, required.has(name), api));
  return [element("ul", { class: "members" }, rows), condition(flat, api)];
}

function member(name, schema, isRequired, api) {
  const flat = flattened(schema, api);
  const inner = innerView(flat, api);
  return element("li", { class: "member" },
    element("div", { class: "member-head" },
      element("code", { class: "member-name" }, name),
      typeLabel(schema, api),
      isRequired && element("span", { class: "required" }, "required"),
      facts(flat)),
    flat.description && prose(flat.description, "p", { class: "member-text" }),
    inner && unfolding(insideLabel(flat, api), inner, { class: "inside" }));
}

function insideLabel(flat, api) {
  if (flat.oneOf ?? flat.anyOf) return "Show what it can be";
  const count = Object.keys((flat.items ? flattened(flat.items, api) : flat.contentSchema ?? flat).properties ?? {}).length;
  return count ? `Show its ${count} ${count === 1 ? "member" : "members"}` : "Show what is inside";
}

function alternatives(choices, api) {
  return element("ol", { class: "alternatives" }, choices.map((choice) => {
    const { description } = flattened(choice, api);
    return element("li", {}, description && prose(description, "p", { class: "member-text" }), schemaView(choice, api));
  }));
}

/** `if` and `then`, which say that members go together. */
function condition(flat, api) {
  if (!flat.if || !flat.then) return null;
  const when = Object.entries(flat.if.properties ?? {}).map(([name, schema]) =>
    [element("code", {}, name), " is ", element("code", {}, JSON.stringify(api.resolve(schema).const ?? "so"))]);
  const then = (flat.then.required ?? []).map((name, index) => [index > 0 && ", ", element("code", {}, name)]);
  return element("p", { class: "member-text" }, "When ", when, ", required: ", then, ".");
}

// MARK: In words

function typeLabel(schema, api) {
  return element("span", { class: "type" }, typeName(schema, api));
}

/** What people call a type: `Order`, `array of Order`, `string or null`. */
function typeName(schema, api) {
  if (schema === false) return "not allowed";
  const flat = flattened(schema, api);
  if (flat.items) return `array of ${typeName(flat.items, api)}`;
  if (schema.$ref && innerView(flat, api)) return nameOf(schema.$ref);
  if (flat.type) return [flat.type].flat().join(" or ") + (flat.format ? `, ${flat.format}` : "");
  const choices = flat.oneOf ?? flat.anyOf;
  if (choices) return choices.map((choice) => typeName(choice, api)).join(" or ");
  return flat.const !== undefined || flat.enum ? "constant" : "any value";
}

/** The bounds of a schema, a few words each. */
function facts(flat) {
  const words = [
    range(flat.minimum, flat.maximum),
    range(flat.minLength, flat.maxLength, "character"),
    range(flat.minItems, flat.maxItems, "element"),
    flat.multipleOf !== undefined && `multiple of ${flat.multipleOf}`,
    flat.uniqueItems && "each once",
    flat.default !== undefined && `default ${JSON.stringify(flat.default)}`,
  ].filter(Boolean);
  const values = flat.const !== undefined ? [flat.const] : flat.enum ?? [];
  return [
    words.map((word) => element("span", { class: "fact" }, word)),
    flat.pattern && element("span", { class: "fact" }, "matches ", element("code", {}, flat.pattern)),
    valueList(values),
  ];
}

/** Three hundred currencies are told in three. */
function valueList(values) {
  if (values.length === 0) return null;
  const few = values.slice(0, 12).map((value) => [element("code", { class: "value" }, JSON.stringify(value)), " "]);
  const rest = values.length - few.length;
  return element("span", { class: "values" }, few, rest > 0 && `and ${rest} more`);
}

/** @param unit in the singular. */
function range(least, most, unit) {
  // The bound of 64-bit integers says nothing that `int64` does not, and cannot be written as a number here.
  if (most > Number.MAX_SAFE_INTEGER) return range(least, undefined, unit);
  const counted = (number) => number.toLocaleString("en") + (unit ? ` ${unit}${number === 1 ? "" : "s"}` : "");
  if (least === undefined && most === undefined) return null;
  if (least === most) return counted(most);
  if (most === undefined) return `at least ${counted(least)}`;
  return least === undefined ? `at most ${counted(most)}` : `${least.toLocaleString("en")} to ${counted(most)}`;
}
