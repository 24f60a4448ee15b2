import { delimiter, isAbsolute } from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/**
 * The only variables that a program inherits: those it needs to find its own files and the user's settings. Never
 * `A2A_TOTP_*`, which hold seeds, tokens and identities, and never a variable that makes a program load or start
 * something else (`LD_PRELOAD`, `NODE_OPTIONS`, `GIT_*`, `PAGER`, `EDITOR`, …).
 */
const inherited = {
  /** Folders and lists of folders. Relative ones are dropped: they would depend on where the program runs. */
  folders: ['PATH', 'HOME', 'XDG_CONFIG_HOME'],
  /** git accepts repositories of the user who ran sudo. */
  others: ['SUDO_UID'],
  windows: ['APPDATA', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'PROGRAMDATA', 'SYSTEMROOT', 'USERPROFILE'],
} as const

/** The environment without `A2A_TOTP_*`, for a program that the user names: they hold seeds, tokens and identities. */
export function withoutOwnVariables(env: Env): Record<string, string> {
  // Windows does not tell upper case from lower case.
  const kept = Object.entries(env).filter(([name]) => !/^A2A_TOTP_/i.test(name))
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/**
 * The environment of a program that the tool starts.
 *
 * @param own variables that the caller sets; they override inherited ones
 * @param env the environment of this process; variables that it lacks come from `process.env`
 */
export function programEnvironment(own: Env = {}, env: Env = process.env): Record<string, string> {
  const all = { ...process.env, ...env }
  const result: Record<string, string> = { LC_ALL: 'C' }
  for (const name of inherited.folders) {
    const folders = absoluteOnly(valueOf(all, name))
    if (folders !== '') result[name] = folders
  }
  const others = process.platform === 'win32' ? inherited.windows : inherited.others
  for (const name of others) result[name] = valueOf(all, name)
  return Object.fromEntries(
    Object.entries({ ...result, ...own }).filter((entry): entry is [string, string] => !!entry[1]),
  )
}

/** On Windows, names of variables are case-insensitive. */
function valueOf(env: Env, name: string): string {
  if (process.platform !== 'win32') return env[name] ?? ''
  const spelled = Object.keys(env).find((one) => one.toUpperCase() === name)
  return (spelled === undefined ? undefined : env[spelled]) ?? ''
}

/** An empty entry of PATH means the working directory, as `.` does. */
function absoluteOnly(folders: string): string {
  return folders
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .join(delimiter)
}
