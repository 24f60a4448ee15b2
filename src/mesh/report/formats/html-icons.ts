import { html, type Markup } from '../../../html/markup.js'
import type { Kind } from '../kinds.js'

/**
 * A cell of the matrix as a shape in a square of 20 units: told apart by form, with and without colour, on paper and by
 * those who do not see red and green.
 */
export const icons: Readonly<Record<Kind, Markup>> = {
  open: html`<rect class="k-open" x="3" y="3" width="14" height="14" rx="2" />
    <path class="k-cut" d="M6.2 10.2 L9 13 L14 7.2" />`,
  shut: html`<circle class="k-shut" cx="10" cy="10" r="1.6" />`,
  refused: html`<rect class="k-frame" x="2.8" y="2.8" width="14.4" height="14.4" />
    <path class="k-bad-line" d="M6 6 L14 14 M14 6 L6 14" />`,
  intruder: html`<circle class="k-bad" cx="10" cy="10" r="8.4" />
    <path class="k-cut" d="M10 5.2 L10 11.2 M10 13.6 L10 14.8" />`,
  unsafe: html`<path class="k-bad" d="M10 1.2 L18.8 10 L10 18.8 L1.2 10 Z" />
    <path class="k-cut" d="M6.5 10 L13.5 10" />`,
  warned: html`<path class="k-warn" d="M10 2.2 L18.2 17 L1.8 17 Z" />
    <path class="k-cut" d="M10 7.6 L10 11.6 M10 13.8 L10 14.8" />`,
  removed: html`<circle class="k-ring" cx="10" cy="10" r="4.6" />`,
  expired: html`<circle class="k-ring" cx="10" cy="10" r="6" />
    <path class="k-ring" d="M10 6.6 L10 10 L12.6 11.6" />`,
  unknown: html`<rect class="k-dashed" x="3.4" y="3.4" width="13.2" height="13.2" rx="2" />
    <text class="k-mark" x="10" y="14.2">?</text>`,
}

/** One icon by itself, for a line of text beside it. */
export const iconOf = (kind: Kind): Markup =>
  html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">${icons[kind]}</svg>`

/** Colours come from the page, so that they follow its mode; the shapes do not depend on them. */
export const iconCss = `svg text { fill: var(--text); font-size: 12px; }
.icon { vertical-align: -0.25em; flex: none; }
.k-open { fill: var(--good); }
.k-bad { fill: var(--bad); }
.k-warn { fill: var(--warn); }
.k-shut { fill: var(--dim); }
.k-cut { fill: none; stroke: var(--page); stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round; }
.k-frame { fill: none; stroke: var(--bad); stroke-width: 1.6; }
.k-bad-line { fill: none; stroke: var(--bad); stroke-width: 2.4; stroke-linecap: round; }
.k-ring { fill: none; stroke: var(--dim); stroke-width: 1.6; stroke-linecap: round; }
.k-dashed { fill: none; stroke: var(--warn); stroke-width: 1.4; stroke-dasharray: 2.4 1.8; }
svg text.k-mark { fill: var(--warn); font-size: 12px; font-weight: 700; text-anchor: middle; }
`
