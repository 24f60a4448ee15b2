import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Issued {
  readonly key: string
  readonly cert: string
}

export interface Authority {
  /** Its own certificate, as PEM. */
  readonly ca: string
  /**
   * Issues a certificate for subjectAltName entries such as `DNS:agent.example`.
   *
   * @param days when it begins and ends, in days from now
   */
  issue(names: string, days?: readonly [from: number, until: number]): Issued
}

const config = `
[ca]
default_ca = own
[own]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = optional
`

/** A certificate authority that nobody trusts yet, made by openssl. */
export function makeAuthority(name = 'test authority'): Authority {
  const inFolder = <T>(work: (run: (...args: string[]) => void, path: (file: string) => string) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-ca-'))
    const path = (file: string): string => join(folder, file)
    const run = (...args: string[]): void => {
      execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
    }
    try {
      return work(run, path)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const own = inFolder((run, path) => {
    run('req', '-x509', ...newKey, '-keyout', 'k.pem', '-out', 'c.pem', '-days', '9', '-subj', `/CN=${name}`)
    return { key: readFileSync(path('k.pem'), 'utf8'), cert: readFileSync(path('c.pem'), 'utf8') }
  })
  const issue: Authority['issue'] = (names, [from, until] = [-1, 2]) =>
    inFolder((run, path) => {
      writeFileSync(path('ca.cnf'), config)
      writeFileSync(path('index.txt'), '')
      writeFileSync(path('ca.key'), own.key)
      writeFileSync(path('ca.pem'), own.cert)
      const subject = ['-subj', '/CN=x', '-addext', `subjectAltName=${names}`]
      run('req', '-new', ...newKey, '-keyout', 'k.pem', '-out', 'r.pem', ...subject)
      const dates = ['-startdate', dateIn(from), '-enddate', dateIn(until)]
      const signing = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-batch', '-notext']
      run('ca', ...signing, ...dates, '-in', 'r.pem', '-out', 'c.pem')
      return { key: readFileSync(path('k.pem'), 'utf8'), cert: readFileSync(path('c.pem'), 'utf8') }
    })
  return { ca: own.cert, issue }
}

/** A time as openssl takes it: 20260102030405Z. */
function dateIn(days: number): string {
  const text = new Date(Date.now() + days * 86_400_000).toISOString()
  return `${text.replace(/[-:T]/g, '').slice(0, 14)}Z`
}
