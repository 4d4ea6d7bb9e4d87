// A request as a line for a terminal.

/** The `curl` command that sends the same request. The access token stays out of it: `$TOKEN` stands for it, where one is called for. */
export function curl(request, takesToken) {
  const parts = [`curl -i ${request.method === "GET" ? "" : `-X ${request.method} `}${quoted(request.url)}`];
  if (takesToken) parts.push('-H "Authorization: Bearer $TOKEN"');
  for (const [name, value] of request.headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body !== undefined) parts.push(`--data-raw ${quoted(request.body)}`);
  return parts.join(" \\\n  ");
}

/** For a POSIX shell: in single quotes everything is itself but the single quote. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
