// The document as the page needs it: operations in their groups, with references followed.

const methods = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];

export class API {
  constructor(root) {
    this.root = root;
    this.operations = Object.entries(root.paths).flatMap(([path, item]) =>
      methods.filter((method) => item[method]).map((method) => this.#operation(method, path, item)));
    this.groups = root.tags
      .map((tag) => ({ ...tag, operations: this.operations.filter((operation) => operation.tags[0] === tag.name) }))
      .filter((group) => group.operations.length > 0);
  }

  /** What stands at a reference, and at the reference there; everything else as it is. */
  resolve(value) {
    let found = value;
    // A reference that leads to itself leads to nothing.
    for (let steps = 0; found?.$ref !== undefined; steps += 1) {
      if (steps === 20 || !found.$ref.startsWith("#/")) return {};
      const { $ref, ...besides } = found;
      const target = $ref.slice(2).split("/").reduce((at, name) => at?.[unescaped(name)], this.root);
      found = { ...target, ...besides };
    }
    return found ?? {};
  }

  operation(id) {
    return this.operations.find((operation) => operation.id === id);
  }

  #operation(method, path, item) {
    const content = item[method];
    const security = content.security ?? this.root.security ?? [];
    return {
      id: content.operationId,
      method: method.toUpperCase(),
      path,
      tags: content.tags ?? [],
      summary: content.summary ?? content.operationId,
      description: content.description,
      parameters: [...(item.parameters ?? []), ...(content.parameters ?? [])].map((parameter) => this.resolve(parameter)),
      body: content.requestBody && this.resolve(content.requestBody),
      responses: Object.entries(content.responses).map(([status, response]) => ({ status, ...this.resolve(response) })),
      audience: audience(security),
      takesToken: security.some((requirement) => requirement.accessToken),
    };
  }
}

/** The last part of a reference, which people know a schema by. */
export function nameOf(reference) {
  return unescaped(reference.split("/").at(-1));
}

/** JSON Pointer in a fragment: RFC 6901, section 6. */
function unescaped(name) {
  return decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Who may call something, in words and as one of a few kinds. */
function audience(security) {
  if (security.length === 0) return { kind: "anyone", text: "Anyone" };
  if (security.some((requirement) => Object.keys(requirement).length === 0)) return { kind: "anyone", text: "Anyone, signed in or not" };
  const who = security.flatMap((requirement) => Object.entries(requirement).map(([scheme, roles]) => {
    if (scheme !== "accessToken") return scheme === "serviceToken" ? "other services" : scheme;
    if (roles.length === 0) return "signed-in users";
    return roles.includes("admin") ? "administrators" : roles.join(", ");
  }));
  const text = [...new Set(who)].join(" and ");
  return { kind: who.includes("administrators") ? "administrators" : "users", text: text[0].toUpperCase() + text.slice(1) };
}
