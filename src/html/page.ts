import { html, Markup } from './markup.js'

export interface Page {
  readonly title: string
  readonly body: Markup
  /** Rules besides those that every page has. */
  readonly css?: string
}

/**
 * A self-contained page: it loads nothing, runs no script, follows the reader's light or dark mode, and prints in black
 * on white.
 */
export function page({ title, body, css = '' }: Page): string {
  const style = new Markup(`<style>\n${base}${css}</style>`)
  const { text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${style}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `
  return text
}

const base = `:root {
  color-scheme: light dark;
  --text: #1c2024; --dim: #5c6670; --page: #ffffff; --panel: #f5f6f8; --line: #d9dde2; --link: #0b57b0;
  --good: #146c33; --bad: #b3261e; --warn: #8a5300; --good-page: #e4f4e8; --bad-page: #fbe7e6; --warn-page: #fbf0d9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6e8eb; --dim: #a0a9b3; --page: #14171a; --panel: #1d2125; --line: #343a41; --link: #8ab8f5;
    --good: #6fd08c; --bad: #ff8f86; --warn: #f0bd62; --good-page: #15301d; --bad-page: #3a1a18; --warn-page: #33270f;
  }
}
@media print {
  :root {
    --text: #000; --dim: #333; --page: #fff; --panel: #fff; --line: #999; --link: #000;
    --good: #0b4a22; --bad: #8a1610; --warn: #663d00; --good-page: #fff; --bad-page: #fff; --warn-page: #fff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1, h2, h3 { line-height: 1.25; margin: 0; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.75rem; }
h3 { font-size: 1rem; }
p, ul, dl { margin: 0.5rem 0; }
ul { padding-left: 1.25rem; }
main, td, th { overflow-wrap: anywhere; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.9em; }
.scroll { position: relative; overflow-x: auto; }
.dim { color: var(--dim); }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
`
