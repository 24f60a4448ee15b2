import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { makeStore, parseJson, runBinary, runCli } from '../support/cli.js'

it('loses no peer when 8 processes at once add 50 each, one command a peer', async () => {
  const cwd = await makeStore()
  const worker = async (id: number): Promise<number[]> => {
    const codes: number[] = []
    for (let n = 0; n < 50; n++) codes.push((await runBinary(['add-peer', `p${id}-${n}`], { cwd })).exitCode)
    return codes
  }
  const codes = await Promise.all(Array.from({ length: 8 }, (_, id) => worker(id)))
  expect(new Set(codes.flat())).toEqual(new Set([0]))
  const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as { peers: unknown[] }
  expect(peers).toHaveLength(400)
  // The store before the last change, the record of changes, and no lock or temporary file.
  expect(readdirSync(cwd).sort()).toEqual(['a2a-totp.json', 'a2a-totp.json.bak-prev', 'a2a-totp.json.log'])
}, 400_000)
