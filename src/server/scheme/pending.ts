/** Whether an answer is still to come: a promise of any make. */
export function isPending<T extends object>(answer: T | Promise<T>): answer is Promise<T> {
  return typeof (answer as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

/**
 * Goes on with an answer of ours: at once where it is there, since to wait for it takes longer than all the rest of a
 * decision.
 */
export function afterwards<T extends object, U>(
  answer: T | Promise<T>,
  goOn: (answer: T) => U | Promise<U>,
): U | Promise<U> {
  return answer instanceof Promise ? answer.then(goOn) : goOn(answer)
}
