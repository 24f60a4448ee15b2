/** What the page of a mesh has besides the style of every page. */
export const showCss = `main { max-width: 100rem; }
.picture { margin: 1rem 0; }
.picture svg { display: block; }
.strangers { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; margin: 0.75rem 0; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { overflow-wrap: normal; color: var(--dim); font-weight: 500; vertical-align: bottom; }
tbody th { font-weight: 400; white-space: nowrap; }
table.cells { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.9rem; }
table.cells td, table.cells thead th:not(:first-child) { text-align: center; }
table.cells th:first-child { position: sticky; left: 0; background: var(--page); }
table.cells tbody tr:hover { background: var(--panel); }
table.many thead th:not(:first-child) span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
table.many th, table.many td { padding: 0.2rem 0.35rem; }
td.missing { color: var(--dim); }
td.pending, td.due, tr.pending .state, tr.due .state { color: var(--warn); }
td.expired, td.undeclared, tr.expired .state { color: var(--bad); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; padding: 0; list-style: none; color: var(--dim); }
footer { margin-top: 2rem; border-top: 1px solid var(--line); }
@media print {
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  .picture { break-inside: avoid; }
  .picture svg { max-width: 100%; max-height: 90vh; height: auto; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  table.cells th:first-child { position: static; }
}
`
