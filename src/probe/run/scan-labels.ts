/** Labels of the requests of the window scan, by which its judge distinguishes them. */
export const scanLabels = { behind: 'a code of the past', ahead: 'a code of the future' } as const
