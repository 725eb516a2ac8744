/**
 * `/console/`: what answers there until the web console is built (compat reference, 1.16).
 *
 * Invariant: a page, or a file that is not there; never anything about the node that the page's
 * reader could not ask for with the rights that they have.
 */
import { API_VERSION } from "../version.ts";
import { type Answer, type Call, emptyAnswer } from "./answer.ts";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Cairn</title>
<h1>Cairn</h1>
<p>This node speaks the HTTP API of rqlite ${API_VERSION}.</p>
<ul>
<li><a href="/status?pretty">/status</a>
<li><a href="/nodes?ver=2&amp;pretty">/nodes</a>
<li><a href="/readyz">/readyz</a>
<li><a href="/openapi.json?pretty">/openapi.json</a>
</ul>
</html>
`;

const HTML_TYPE = "text/html; charset=utf-8";

/** The page; `/console` goes to `/console/`. */
export function handleConsole({ path, service }: Call): Answer {
  service.counters.add("http", "ui");
  if (path === "/console") return emptyAnswer(301, { location: "/console/" });
  const isPage = path === "/console/" || path === "/console/index.html";
  if (!isPage) return emptyAnswer(404);
  return { status: 200, headers: { "content-type": HTML_TYPE }, body: PAGE };
}
