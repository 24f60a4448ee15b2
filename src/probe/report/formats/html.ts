import { html, type Markup } from '../../../html/markup.js'
import { page } from '../../../html/page.js'
import { cellCheckIds, runCheckIds, type CheckId } from '../../check-ids.js'
import { addressesOf, columnsOf, worstIn, type Column } from '../columns.js'
import { findingsOf, placeOf, subjectOf, type Finding } from '../findings.js'
import type { CheckResult, CheckStatus, ProbeReport } from '../report.js'
import {
  costOf,
  countsOf,
  explainCommand,
  joined,
  narrowingOf,
  statusSymbols,
  strictCountsOf,
  verdictOf,
} from '../words.js'
import { reportCss } from './html-style.js'
import type { CheckTexts, FormatOptions } from './options.js'

export type TextsOf = (id: CheckId) => CheckTexts

/** The report as one page: the verdict, the diagnosis, the table, and each finding with its meaning and its remedy. */
export function renderHtml(report: ProbeReport, _: FormatOptions, textsOf: TextsOf): string {
  const { agent, target, checks } = report
  const findings = findingsOf(checks)
  const open = findings.filter(({ status }) => status !== 'skip')
  const skipped = findings.filter(({ status }) => status === 'skip')
  const narrowed = narrowing(report)
  return page({
    title: `${verdictOf(report)}: ${agent ?? target}`,
    css: reportCss,
    body: html`${banner(report)} ${facts(report)}
      <h2>Checks</h2>
      ${table(checks)}
      ${
        open.length === 0
          ? ''
          : html`<h2>Findings</h2>
              ${open.map((finding) => section(finding, textsOf))}`
      }
      ${
        skipped.length === 0
          ? ''
          : html`<h2>Not tested</h2>
              ${skipped.map((finding) => section(finding, textsOf))}`
      }
      <footer class="dim">
        <p>a2a-totp probe, ${report.startedAt}: ${countsOf(report)} (${costOf(report)}).</p>
        ${narrowed}
      </footer>`,
  })
}

function banner(report: ProbeReport): Markup {
  const { ok, diagnosis, explain, agent, target } = report
  return html`<header class="${ok ? 'pass' : 'fail'}">
    ${narrowing(report)} ${diagnosis === undefined ? '' : html`<p class="diagnosis">${diagnosis}</p>`}
    ${explain === undefined ? '' : html`<p class="dim"><code>${explainCommand(explain)}</code></p>`}
    <h1><span class="verdict">${verdictOf(report)}</span> ${agent ?? target}</h1>
    <p>${strictCountsOf(report)}</p>
  </header>`
}

function narrowing(report: ProbeReport): Markup | '' {
  const narrowed = narrowingOf(report)
  return narrowed === '' ? '' : html`<p class="narrowed">${narrowed}</p>`
}

function facts({ target, checks }: ProbeReport): Markup {
  const rows = addressesOf(columnsOf(checks))
  return html`<dl class="facts">
    <div>
      <dt>URL</dt>
      <dd>${target}</dd>
    </div>
    ${rows.map(
      ({ titles, url }) =>
        html`<div>
          <dt>${titles}</dt>
          <dd>${url}</dd>
        </div>`,
    )}
  </dl>`
}

function table(checks: readonly CheckResult[]): Markup {
  const columns = columnsOf(checks)
  const ofRun = runCheckIds.flatMap((id) => checks.find((check) => check.id === id) ?? [])
  const ofCells = cellCheckIds.filter((id) => checks.some((check) => check.id === id))
  return html`${ofRun.length === 0 ? '' : statusTable(['agent', 'answer'], ofRun)}
  ${
    columns.length === 0
      ? ''
      : html`<div class="scroll">
          <table class="${columns.length > mostWide ? 'cells many' : 'cells'}">
            <thead>
              <tr>
                <th scope="col">interface</th>
                ${columns.map(({ title }) => html`<th scope="col"><span>${title}</span></th>`)}
              </tr>
            </thead>
            <tbody>
              ${ofCells.map(
                (id) =>
                  html`<tr>
                    <th scope="row">${id}</th>
                    ${columns.map((column) => cell(checks, id, column))}
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>`
  }`
}

/** A row for each check: its id, its status, and what was seen. */
export const statusTable = (
  [first, last]: readonly [string, string],
  checks: readonly { readonly id: string; readonly status: CheckStatus; readonly actual: string }[],
): Markup =>
  html`<table class="run">
    <thead>
      <tr>
        <th scope="col">${first}</th>
        <th scope="col"><span class="hidden">status</span></th>
        <th scope="col">${last}</th>
      </tr>
    </thead>
    <tbody>
      ${checks.map(
        ({ id, status, actual }) =>
          html`<tr>
            <th scope="row">${id}</th>
            <td>${mark(status)}</td>
            <td>${actual}</td>
          </tr>`,
      )}
    </tbody>
  </table>`

/** The titles of more cells than this are turned, because a wide window holds no more beside each other. */
const mostWide = 6

function cell(checks: readonly CheckResult[], id: string, column: Column): Markup {
  const found = worstIn(checks, id, column)
  return html`<td>${found === undefined ? '' : mark(found.status)}</td>`
}

/** A symbol for the eye, a word for those who do not see it. */
export const mark = (status: CheckStatus): Markup =>
  html`<span class="${status}" title="${status}"
    ><span aria-hidden="true">${statusSymbols[status]}</span><span class="hidden">${status}</span></span
  >`

/** One finding, with what it means and how to fix it. */
export function section(finding: Finding, textsOf: TextsOf): Markup {
  const { status, ids, columns, expected, answers, remarks } = finding
  const [first, ...others] = ids.map((id) => ({ id, ...textsOf(id) }))
  return html`<section class="${status}">
    <h3>${mark(status)} ${ids.join(', ')}</h3>
    ${columns.length === 0 ? '' : html`<p class="dim">${columns.join(', ')}</p>`}
    ${answers.length === 0 ? '' : answersIn(finding, answers, expected)}
    ${remarks.map((remark) => {
      const subject = subjectOf(remark, finding)
      return html`<p>${subject === '' ? '' : html`<b>${subject}:</b> `}${remark.text}</p>`
    })}
    ${status === 'skip' || first === undefined ? '' : remedy(first)}
    ${status === 'skip' || others.length === 0 ? '' : furtherRemedies(others)}
  </section>`
}

/** Folded on a screen. A browser does not unfold them when it prints, so a print has them once more, open. */
function furtherRemedies(checks: readonly Remedied[]): Markup {
  const remedies = checks.map(
    (check) =>
      html`<h4>${check.id}</h4>
        ${remedy(check)}`,
  )
  return html`<details>
      <summary>${checks.map(({ id }) => id).join(', ')}</summary>
      ${remedies}
    </details>
    <div class="printed">${remedies}</div>`
}

type Remedied = CheckTexts & { readonly id: CheckId }

function answersIn(finding: Finding, answers: Finding['answers'], expected: string): Markup {
  return html`<dl class="facts">
    <div>
      <dt>expected</dt>
      <dd>${expected}</dd>
    </div>
    ${answers.map(
      (answer) =>
        html`<div>
          <dt>${joined(' ', 'actual', inPlace(placeOf(answer, finding)))}</dt>
          <dd>${answer.actual}</dd>
        </div>`,
    )}
  </dl>`
}

function remedy({ id, ...texts }: Remedied): Markup {
  return html`${remedyIn(texts)}
    <p class="dim"><code>${explainCommand(id)}</code></p>`
}

/** What a failure means, and how to fix it. */
export function remedyIn({ means, mend }: Pick<CheckTexts, 'means' | 'mend'>): Markup {
  return html`<h4>What it means</h4>
    <p>${inCode(means)}</p>
    <h4>How to fix it</h4>
    <ul>
      ${mend.map((step) => html`<li>${inCode(step)}</li>`)}
    </ul>`
}

const inPlace = (place: string): string => (place === '' ? '' : `in ${place}`)

/** Texts of ours, in which code is between backticks. */
export function inCode(text: string): Markup[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))
}
