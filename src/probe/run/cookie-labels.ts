/** The label of an attempt that is sent once more with the cookies of a success. */
export const besideCookies = (label: string): string => `${label}, with the cookies of a success`
