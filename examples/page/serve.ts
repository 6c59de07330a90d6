/** Serves the page, the built package and the one package that it needs. `--port N`, default 8080. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { port: { type: "string", default: "8080" }, quick: { type: "boolean" } },
});

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".map": "application/json",
};
const folders = ["/dist/", "/examples/page/", "/node_modules/@assemblyscript/loader/"];
const repository = new URL("../..", import.meta.url);

const server = createServer((request, response) => {
  // URL resolves "..", so nothing outside these folders is reached.
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const path = pathname === "/" ? "/examples/page/index.html" : pathname;
  const type = types[extname(path)];
  try {
    if (!type || !folders.some((folder) => path.startsWith(folder))) throw new Error("not for the page");
    const body = readFileSync(new URL(`.${path}`, repository));
    response.setHeader("Content-Type", `${type}; charset=utf-8`).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(options.port), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/ (Ctrl+C ends it)`);
});
