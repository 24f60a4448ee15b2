import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The libraries of others are kept here. */
const libraries = fileURLToPath(new URL('../../.venvs/maven', import.meta.url))

const isOnPath = (tool: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)))

/** Whether there are a JDK and Maven. */
export const hasJava = ['java', 'javac', 'mvn'].every(isOnPath)

/**
 * Compiles all files of a folder against a library, which comes from Maven Central the first time.
 *
 * @param library `GROUP:ARTIFACT@VERSION`
 * @returns the class path
 */
export function compileJava(folder: string, files: readonly string[], library: string): string {
  const [groupId = '', artifactId = '', version = ''] = library.split(/[:@]/)
  const element = (name: string, content: string): string => `<${name}>${content}</${name}>`
  const artifact = (group: string, name: string, number: string): string =>
    element('groupId', group) + element('artifactId', name) + element('version', number)
  writeFileSync(
    join(folder, 'pom.xml'),
    element(
      'project',
      element('modelVersion', '4.0.0') +
        artifact('example', 'client', '1') +
        element('dependencies', element('dependency', artifact(groupId, artifactId, version))),
    ),
  )
  mkdirSync(libraries, { recursive: true })
  const list = ['-q', '-B', `-Dmaven.repo.local=${libraries}`, '-Dmdep.outputFile=path.txt']
  execFileSync('mvn', [...list, 'dependency:build-classpath'], { cwd: folder, stdio: 'pipe' })
  const path = `${readFileSync(join(folder, 'path.txt'), 'utf8').trim()}:${join(folder, 'out')}`
  execFileSync('javac', ['-cp', path, '-d', 'out', ...files], { cwd: folder, stdio: 'pipe' })
  return path
}

/** Runs a class, and returns the lines that it prints. */
export async function runJava(
  path: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<string[]> {
  const env = { PATH: process.env['PATH'], ...variables }
  const { stdout } = await promisify(execFile)('java', ['-cp', path, ...args], { env })
  return stdout.trimEnd().split('\n')
}
