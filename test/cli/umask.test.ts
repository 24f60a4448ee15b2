import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { binary, makeFolder } from '../support/cli.js'

const commands = [
  'init --agent billing',
  'add-peer alice',
  'config server --out server.json',
  'config client alice --out alice.env',
  'show alice --qr-file alice.png',
  'show alice --qr-file alice.svg',
  'show alice --uri --out alice.uri',
  'export --reveal --out all.json',
  'init --force --yes',
]

it.skipIf(process.platform === 'win32').each(['000', '022', '077'])(
  'under umask %s every file that a command writes is its owner’s alone from its birth',
  (umask) => {
    const cwd = makeFolder()
    const script = commands.map((command) => `"${process.execPath}" "${binary}" ${command}`).join('\n')
    execFileSync('sh', ['-euc', `umask ${umask}\n${script}`], { cwd, stdio: 'ignore' })
    const modes = readdirSync(cwd).map((name) => {
      const shown = name.replace(/\.bak-.*/, '.bak')
      return [shown, (statSync(join(cwd, name)).mode & 0o777).toString(8)]
    })
    expect(Object.fromEntries(modes)).toEqual({
      'a2a-totp.json': '600',
      'a2a-totp.json.bak': '600',
      'a2a-totp.json.log': '600',
      'alice.env': '600',
      'alice.png': '600',
      'alice.svg': '600',
      'alice.uri': '600',
      'all.json': '600',
      'server.json': '600',
    })
  },
)
