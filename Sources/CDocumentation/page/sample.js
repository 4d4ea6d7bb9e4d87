// Values to begin with: the document's own examples, and where it has none, one made of the schema.

/** Deeper than any body of the shop; what contains itself ends here. */
const maximumDepth = 6;

/** The examples of a media type or a parameter, with their names; one made of the schema if there are none. */
export function examplesOf(holder, api) {
  if (holder.examples) {
    return Object.entries(holder.examples).map(([name, example]) => ({ name, value: api.resolve(example).value }));
  }
  if (holder.example !== undefined) return [{ name: "example", value: holder.example }];
  return [];
}

/** A value that a schema describes: what it must have, and what it is told to have by default. */
export function sampleOf(schema, api, depth = 0) {
  const { example, examples, default: standard, const: constant, enum: choices, ...rest } = api.resolve(schema);
  for (const value of [example, examples?.[0], standard, constant, choices?.[0]]) {
    if (value !== undefined) return value;
  }
  if (depth === maximumDepth) return null;
  if (rest.allOf) return Object.assign({}, ...rest.allOf.map((part) => sampleOf(part, api, depth + 1)));
  const choice = rest.oneOf?.[0] ?? rest.anyOf?.[0];
  if (choice) return sampleOf(choice, api, depth + 1);
  return sampleOfType(rest, api, depth);
}

function sampleOfType(schema, api, depth) {
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "object": {
      const names = schema.required ?? Object.keys(schema.properties ?? {});
      return Object.fromEntries(names.map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, api, depth + 1)]));
    }
    case "array":
      return schema.items ? [sampleOf(schema.items, api, depth + 1)] : [];
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "text";
  }
}
