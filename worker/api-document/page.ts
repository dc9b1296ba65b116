/** The API's document as a page: plain HTML, without a script and without anything from elsewhere. */
import { html, raw } from "hono/html";
import type { ApiDocument, Operation } from "./document.ts";

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid; }
article { margin: 1.5rem 0; }
pre { overflow: auto; padding: 0.75rem; border: 1px solid; font-size: 0.8rem; }
td, th { text-align: left; padding: 0 1rem 0 0; vertical-align: top; }
`;

type Html = ReturnType<typeof html>;

const code = (value: unknown): Html => html`<pre>${JSON.stringify(value, null, 2)}</pre>`;

const folded = (title: string, value: unknown): Html =>
  html`<details>
    <summary>${title}</summary>
    ${code(value)}
  </details>`;

function parametersOf({ parameters }: Operation): Html | string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    ({ name, in: place, required, schema }) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${place}${required ? ", required" : ""}</td>
        <td><code>${JSON.stringify(schema)}</code></td>
      </tr>`,
  );
  return html`<table>
    ${rows}
  </table>`;
}

function responsesOf({ responses }: Operation): Html[] {
  return Object.entries(responses).map(([status, { description, content }]) => {
    const schema = content?.["application/json"]?.schema;
    const title = `${status}: ${description.replaceAll("`", "")}`;
    return schema === undefined ? html`<p>${title}</p>` : folded(title, schema);
  });
}

const articleOf = (method: string, path: string, operation: Operation): Html =>
  html`<article id="${operation.operationId}">
    <h3><code>${method.toUpperCase()} ${path}</code></h3>
    <p>${operation.summary} ${operation.description.replaceAll("`", "")}</p>
    ${parametersOf(operation)}
    ${operation.requestBody === undefined ? "" : folded("Request body", operation.requestBody.content)}
    ${responsesOf(operation)}
  </article>`;

function sectionOf(document: ApiDocument, tag: string): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => articleOf(method, path, operation)),
  );
  return html`<section>
    <h2>${tag}</h2>
    ${operations}
  </section>`;
}

export const apiPage = (document: ApiDocument, nonce: string): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${document.info.title}</title>
        <style nonce="${nonce}">
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <h1>${document.info.title} ${document.info.version}</h1>
        <p>
          ${document.info.description.replaceAll("`", "")} The same for programs:
          <a href="/admin/openapi.json">openapi.json</a>.
        </p>
        ${document.tags.map(({ name }) => sectionOf(document, name))}
        <section>
          <h2>Schemas</h2>
          ${Object.entries(document.components.schemas).map(([name, schema]) => folded(name, schema))}
        </section>
      </body>
    </html>`;
