import { delimiter, isAbsolute } from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/**
 * The only variables that a program inherits: what it needs to find its own files and its user's settings. Never
 * `A2A_TOTP_*`, which holds seeds, tokens and identities, and nothing that makes a program load or start something
 * else (`LD_PRELOAD`, `NODE_OPTIONS`, `GIT_*`, `PAGER`, `EDITOR`, …).
 */
const inherited = {
  /** Lists of folders, and folders: relative ones would mean a folder of the place where the program runs. */
  folders: ['PATH', 'HOME', 'XDG_CONFIG_HOME'],
  /** git accepts the folders of the user who called sudo. */
  others: ['SUDO_UID'],
  windows: ['APPDATA', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'PROGRAMDATA', 'SYSTEMROOT', 'USERPROFILE'],
} as const

/**
 * The environment of a program that the tool starts.
 *
 * @param own variables that the caller of {@link runProgram} sets, over those that are inherited
 * @param env of this process; a variable that it leaves out is taken from `process.env`
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

/** Windows spells `Path` in many ways. */
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
