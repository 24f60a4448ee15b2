/** Whether an answer is still to come: a promise of any make. */
export function isPending<T extends object>(answer: T | Promise<T>): answer is Promise<T> {
  return typeof (answer as { readonly then?: unknown } | null | undefined)?.then === 'function'
}
