/**
 * The page `http-api.md` shows what a node answers, and shows every endpoint. Method: run
 * its commands with the real `curl` and compare; `CAIRN_UPDATE_PAGES=1` writes what they print.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "../../support/raw-http.ts";
import { startNodes, type TestNodes } from "./nodes.ts";
import { renewPage } from "./transcript-page.ts";

const ROOT = join(fileURLToPath(import.meta.url), "../../../..");
const PAGE = join(ROOT, "chapters/appendix/http-api.md");

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, { readonly in: string }>> };
}
interface Described {
  readonly summary: string;
  readonly parameters: readonly { readonly $ref: string }[];
  readonly responses: object;
}

let cluster: TestNodes;

beforeAll(async () => {
  cluster = await startNodes(1);
});

afterAll(() => cluster.close());

async function description(): Promise<Description> {
  const { httpAddress } = await cluster.leader();
  return JSON.parse((await ask(httpAddress, "/openapi.json")).text) as Description;
}

test("the page is what curl prints", async () => {
  const page = readFileSync(PAGE, "utf8");
  const renewed = await renewPage(page, await cluster.leader());
  if (process.env["CAIRN_UPDATE_PAGES"] === "1") writeFileSync(PAGE, renewed);
  expect(renewed).toBe(readFileSync(PAGE, "utf8"));
  expect(page.match(/^\$ curl /gm)?.length).toBeGreaterThan(30);
});

test("every endpoint that is described is on the page", async () => {
  const { paths } = await description();
  const page = readFileSync(PAGE, "utf8");
  const missing = Object.keys(paths).filter((path) => !page.includes(`localhost:4001${path}`));
  expect(missing).toEqual([]);
});

test("in the description every reference leads somewhere, every operation says what", async () => {
  const { openapi, paths, components } = await description();
  expect(openapi).toBe("3.1.0");
  expect(Object.keys(paths).length).toBeGreaterThanOrEqual(19);
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      expect(operation.summary, `${method} ${path}`).not.toBe("");
      expect(Object.keys(operation.responses)).toContain("200");
      for (const { $ref } of operation.parameters) {
        const name = $ref.replace("#/components/parameters/", "");
        expect(components.parameters[name], `${method} ${path}: ${name}`).toMatchObject({
          name,
          in: "query",
        });
      }
    }
  }
});

test("every package that this program needs is told with its licence", async () => {
  const { httpAddress } = await cluster.leader();
  const { text } = await ask(httpAddress, "/licenses");
  const { dependencies } = packageAt("package.json");
  for (const name of Object.keys(dependencies ?? {})) {
    const { license } = packageAt(`node_modules/${name}/package.json`);
    expect(text).toContain(`\n${name}: ${license}\n`);
  }
});

interface Package {
  readonly dependencies?: object;
  readonly license?: string;
}

function packageAt(path: string): Package {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Package;
}

test("what is described is answered, and what is not is 404 or 405", async () => {
  const { paths } = await description();
  const { httpAddress } = await cluster.leader();
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "HEAD"]) {
      // Recording, and what reads a body for as long as it takes, is asked elsewhere.
      if (method === "POST" && method.toLowerCase() in operations) continue;
      const { status } = await ask(httpAddress, path, { method });
      const isKnown = method.toLowerCase() in operations;
      expect(status === 405, `${method} ${path}: ${status}`).toBe(!isKnown);
      expect(status).not.toBe(404);
    }
  }
});
