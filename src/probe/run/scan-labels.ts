/** Labels of the requests of the window scan, by which its judge distinguishes them. */
export const scanLabels = { behind: 'a code of the past', ahead: 'a code of the future' } as const

/** The labels of what the throttle scan sends beside the wrong codes. */
export const throttleLabels = { right: 'the right code', nobody: 'no credentials' } as const
