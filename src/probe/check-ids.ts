/** The checks of the agent as a whole, in the order of the report. The ids are public: scripts name them. */
export const runCheckIds = [
  'reach',
  'tls',
  'card.fetch',
  'card.bearer',
  'card.totp',
  'card.and',
  'card.signature',
  'coverage',
  'clock',
  'window',
  'throttle',
] as const

/** The checks of each cell, in the order of the report. */
export const cellCheckIds = [
  'auth.none',
  'auth.bearer-only',
  'auth.totp-only',
  'auth.wrong-code',
  'auth.expired-code',
  'auth.future-code',
  'auth.cross-peer',
  'auth.malformed-code',
  'auth.duplicate-header',
  'auth.wrong-token',
  'auth.valid',
  'auth.after-valid',
  'auth.stream',
  'auth.doors',
  'isolation',
  'signed.advertised',
  'signed.valid',
  'signed.replay',
  'signed.body',
  'signed.target',
  'signed.header',
  'signed.stale',
  'signed.stripped',
  'signed.other-agent',
  'signed.required',
  'challenge',
  'status',
  'uniform',
  'leak',
  'replay',
] as const

export type RunCheckId = (typeof runCheckIds)[number]
export type CellCheckId = (typeof cellCheckIds)[number]
export type CheckId = RunCheckId | CellCheckId

export const checkIds: readonly CheckId[] = [...runCheckIds, ...cellCheckIds]
