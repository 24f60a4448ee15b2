/** Labels of what is sent after a success, by which judges distinguish it. */

/** Of an attempt that is repeated with the cookies of a success. */
export const besideCookies = (label: string): string => `${label} (with the cookies of a success)`

/** Of a right code that was not used, of a step before that of the last success. */
export const olderStep = 'an unused code of an older step than the last'
