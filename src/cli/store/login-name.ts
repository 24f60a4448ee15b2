import { userInfo } from 'node:os'

/** The user who runs this. In a container a uid may have no name. */
export function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
