/** Where a recipe delivers to, in a test. */
export interface Place {
  /** What the operator has set, as the first line of the recipe says. */
  readonly env?: Readonly<Record<string, string>>
  /** What the peer would find there. */
  readonly delivered: () => string
  /** From now on the place takes nothing. */
  readonly fail: () => void
  /** Tells a place beforehand what it has to get. */
  readonly prepare?: (fragment: string) => void
  /** What is compared, where it is not the whole fragment. */
  readonly expected?: (fragment: string) => string
}

/** Returns the lines of the variables whose names begin so. */
const variablesOf =
  (...names: readonly string[]) =>
  (fragment: string): string =>
    fragment
      .split('\n')
      .filter((line) => names.some((name) => line.startsWith(name)))
      .sort()
      .join('\n')
/** Every variable of a fragment, without quotes. */
export const allVariables = (fragment: string): string =>
  variablesOf('A2A_TOTP_')(fragment).replace(/='(.*)'$/gm, '=$1')
/** The two variables that are secret. */
export const tokenAndSeed = variablesOf('A2A_TOTP_TOKEN=', 'A2A_TOTP_SEED=')
