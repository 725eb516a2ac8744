/**
 * The book site for tests: built once into a temporary directory, listed, and served on this
 * machine only.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** Where Debian and others put Chromium. */
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Builds the site as `npm run book` does, elsewhere. Takes 5 to 30 seconds. */
export async function buildBook(outDir: string): Promise<void> {
  const program = join(ROOT, "node_modules/vitepress/bin/vitepress.js");
  const { NODE_ENV: _, ...env } = process.env;
  await promisify(execFile)(
    process.execPath,
    [program, "build", "chapters", "--outDir", outDir],
    // A test runner's own environment would make Vue a development build.
    { cwd: ROOT, env },
  );
}

/** Paths such as `01-wal/contract.html`, sorted. */
export function pagesOf(outDir: string): string[] {
  return readdirSync(outDir, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".html"))
    .sort();
}

/** Serves the site. @returns its address, and a way to stop. */
export async function serveBook(outDir: string): Promise<{ url: string; close: () => void }> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "/").replace(/[?#].*$/, ""));
    const file = path.endsWith("/") ? `${path}index.html` : path;
    const found = [file, `${file}.html`].find(
      (one) => existsSync(join(outDir, one)) && extname(one) !== "",
    );
    const type = TYPES[extname(found ?? "")] ?? "application/octet-stream";
    response.writeHead(found === undefined ? 404 : 200, { "content-type": type });
    response.end(found === undefined ? "" : readFileSync(join(outDir, found)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A browser to look with; undefined where there is none. */
export function findBrowser(): string | undefined {
  return [process.env["CAIRN_CHROMIUM"] ?? "", ...BROWSERS].find(
    (path) => path !== "" && existsSync(path),
  );
}
