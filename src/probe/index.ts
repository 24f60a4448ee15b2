/** The probe: finds out whether a live agent enforces bearer plus TOTP, and says so. */
export { checkIds, checks, type CheckId } from './catalogue.js'
export { bindingChoices, protocolChoices, type ProbeCredentials, type ProbeOptions } from './options.js'
export { explainCheck, pageOf } from './explanations.js'
export { formats, renderPretty, type Format, type PrettyOptions } from './formats/index.js'
export { probe } from './probe.js'
export type { CheckResult, CheckStatus, ProbeReport, Summary } from './report.js'
