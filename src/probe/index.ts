/** The probe: finds out whether a live agent enforces bearer plus TOTP, and says so. */
export { checkIds, checks, type CheckId } from './checks/catalogue.js'
export { bindingChoices, protocolChoices, type ProbeCredentials, type ProbeOptions } from './options.js'
export { explainCheck, pageOf } from './report/explanations.js'
export { formats, renderPretty, type Format, type PrettyOptions } from './report/formats/index.js'
export { probe } from './run/probe.js'
export type { CheckResult, CheckStatus, ProbeReport, Summary } from './report/report.js'
