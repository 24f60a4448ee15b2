/** What the report has besides the style of every page. */
export const reportCss = `header {
  display: flex; flex-direction: column; padding: 1rem 1.25rem; border-left: 0.4rem solid; border-radius: 0.25rem;
}
header h1 { order: -1; }
header .narrowed { order: -2; }
header.pass { border-color: var(--good); background: var(--good-page); }
header.fail { border-color: var(--bad); background: var(--bad-page); }
header h1, header p { margin: 0.25rem 0; }
header.pass .verdict, .pass { color: var(--good); }
header.fail .verdict, .fail { color: var(--bad); }
header.pass, header.fail, section.fail, section.warn, section.skip { color: var(--text); }
.warn { color: var(--warn); }
.skip { color: var(--dim); }
.diagnosis { font-size: 1.2rem; font-weight: 600; }
.narrowed { color: var(--warn); font-weight: 600; }
.facts { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: 0.3rem 1rem; margin: 0.75rem 0; }
.facts div { display: contents; }
.facts dt { color: var(--dim); overflow-wrap: normal; }
.facts dd { margin: 0; min-width: 0; }
table { border-collapse: collapse; margin: 0.75rem 0; }
table.run { width: 100%; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { overflow-wrap: normal; color: var(--dim); font-weight: 500; vertical-align: bottom; }
tbody th { font-weight: 400; white-space: nowrap; }
table.run td:nth-child(2) { text-align: center; }
table.run td:last-child { width: 100%; }
table.cells td, table.cells thead th:not(:first-child) { text-align: center; }
table.cells th:first-child { position: sticky; left: 0; background: var(--page); }
table.many thead th:not(:first-child) span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
.printed { display: none; }
section { padding: 0.75rem 1.25rem; margin: 0.75rem 0; background: var(--panel); border-left: 0.25rem solid var(--line); border-radius: 0.25rem; }
section.fail { border-color: var(--bad); }
section.warn { border-color: var(--warn); }
section h4 { margin: 0.75rem 0 0; font-size: 0.9rem; color: var(--dim); font-weight: 600; }
summary { cursor: pointer; margin-top: 0.75rem; color: var(--dim); font-size: 0.9rem; font-weight: 600; }
section p, section ul { margin: 0.35rem 0; }
footer { margin-top: 2rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  .facts { display: block; }
  .facts div { display: block; padding: 0.15rem 0; }
  th, td { padding: 0.3rem 0.2rem; }
  table.cells thead th:not(:first-child) span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
}
@media print {
  main { max-width: none; padding: 0; }
  section, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  header, section { border: 1px solid var(--line); border-left-width: 0.3rem; }
  .scroll { overflow: visible; }
  details { display: none; }
  .printed { display: block; }
  table.cells th, table.cells td { padding: 0.3rem 0.2rem; }
  table.cells th:first-child { position: static; }
}
`
