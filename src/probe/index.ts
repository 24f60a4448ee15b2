/** The probe: finds out whether a live agent enforces bearer plus TOTP, and reports it. */
export { checkIds, type CheckId } from './check-ids.js'
export { explainCheck, pageOf } from './checks/explanation.js'
export { checks } from './checks/index.js'
export { parseIgnoreRows } from './ignore-rows.js'
export {
  bindingChoices,
  protocolChoices,
  type ProbeCredentials,
  type ProbeOptions,
  type ProbeProgress,
} from './options.js'
export { probe } from './probe.js'
export { chooseProxy } from './target/proxy-choice.js'
export { formats, renderPretty, type Format, type FormatOptions } from './formats.js'
export { renderLine } from './report/line.js'
export type { CheckResult, CheckStatus, ProbeReport, Summary } from './report/report.js'
export { withStanding } from './standing.js'
