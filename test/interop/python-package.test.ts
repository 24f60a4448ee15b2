import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { describeWith, runPython } from '../support/python.js'

/** What a user imports. */
const publicModules = [
  ...['codes', 'server_file', 'scheme', 'asgi', 'grpc', 'a2a', 'crewai', 'state', 'proof', 'credentials'],
  ...['httpx', 'client', 'origins', 'profile', 'roster'],
]
const extras = ['a2a', 'crewai', 'google', 'grpc', 'httpx', 'jwt', 'pydantic', 'redis', 'starlette']

describeWith('package', 'the Python package', () => {
  let folder = ''
  let wheel = ''
  let sdist = ''

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'a2a-totp-package-'))
    // Without isolation: its backend is in the environment, so that no registry is asked.
    runPython('package', ['-m', 'build', '--no-isolation', '--outdir', folder, 'python'])
    wheel = join(folder, `a2a_totp-${packageJson.version}-py3-none-any.whl`)
    sdist = join(folder, `a2a_totp-${packageJson.version}.tar.gz`)
  })

  afterAll(() => {
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  const namesIn = (program: string, file: string): string[] =>
    runPython('package', ['-c', program, file]).trim().split('\n').sort()

  it('is built as a wheel and an sdist of the version of the npm package, which twine accepts', () => {
    expect(readdirSync(folder).sort()).toEqual([wheel, sdist].map((path) => path.slice(folder.length + 1)))
    const said = runPython('package', ['-m', 'twine', 'check', '--strict', wheel, sdist])
    expect(said.match(/PASSED/g)).toHaveLength(2)
  })

  it('has its types, its licence and every module in the wheel, and in the sdist what builds it', () => {
    const inWheel = namesIn(
      'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep="\\n")',
      wheel,
    )
    const sources = readdirSync('python/src', { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.py$|py\.typed$/.test(path),
    )
    const about = `a2a_totp-${packageJson.version}.dist-info`
    const others = ['METADATA', 'RECORD', 'WHEEL', 'licenses/LICENSE'].map((name) => `${about}/${name}`)
    expect(inWheel).toEqual([...sources, ...others].sort())
    const root = `a2a_totp-${packageJson.version}`
    const inSdist = namesIn(
      'import sys, tarfile; print(*tarfile.open(sys.argv[1]).getnames(), sep="\\n")',
      sdist,
    )
    const beside = ['LICENSE', 'PKG-INFO', 'README.md', 'pyproject.toml']
    expect(inSdist.filter((path) => path !== `${root}/.gitignore`)).toEqual(
      [...sources.map((path) => `src/${path}`), ...beside].map((path) => `${root}/${path}`).sort(),
    )
    expect(readFileSync('python/LICENSE', 'utf8')).toBe(readFileSync('LICENSE', 'utf8'))
  })

  it('is installed into an empty environment, and imports nothing there but the standard library', () => {
    const venv = join(folder, 'venv')
    runPython('package', ['-m', 'venv', venv])
    const python = join(venv, 'bin/python')
    const env = { PATH: process.env['PATH'], HOME: folder }
    const options = { cwd: folder, env, encoding: 'utf8', timeout: 110_000 } as const
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--no-index', wheel], options)
    const program = `
import importlib, json, sys
import a2a_totp
names = sys.argv[1].split(",")
for name in names:
    importlib.import_module("a2a_totp." + name)
foreign = sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names))
print(json.dumps([a2a_totp.__version__, foreign]))`
    const printed = execFileSync(python, ['-c', program, publicModules.join(',')], options)
    const [version, foreign] = JSON.parse(printed) as [string, string[]]
    expect(version).toBe(packageJson.version)
    expect(foreign.filter((name) => !name.startsWith('_') && name !== 'a2a_totp')).toEqual([])
  })

  it('is typed for those who install it: mypy finds the types, and an error in their use', () => {
    const user = join(folder, 'user.py')
    const text =
      'from a2a_totp.scheme import TOTPServerAuthScheme\n\nreveal: int = TOTPServerAuthScheme.from_file()\n'
    writeFileSync(user, text)
    const site = join(folder, 'venv')
    const args = ['-m', 'mypy', '--strict', '--python-executable', join(site, 'bin/python'), user]
    expect(() => runPython('a2a-1', [...args, '--cache-dir', join(folder, 'mypy')])).toThrow(
      expect.objectContaining({
        stdout: expect.stringMatching(/Incompatible types in assignment/) as string,
      }),
    )
  })
})

describeWith('a2a-1', 'the Python package, where all extras could be imported', () => {
  it('imports none of them before it is used', () => {
    const program = `
import importlib, json, sys
for name in sys.argv[1].split(","):
    importlib.import_module("a2a_totp." + name)
print(json.dumps([name for name in sys.argv[2].split(",") if name in sys.modules]))`
    const args = ['-c', program, publicModules.join(','), extras.join(',')]
    expect(JSON.parse(runPython('a2a-1', args, { path: 'python/src' }))).toEqual([])
  })
})
