import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, runCli } from '../cli.js'
import { places } from './places.js'
import { deafen, holdsText, isInstalled } from './programs.js'
import { recipes } from './recipes.js'
import { canTrace, deliver } from './run.js'

/** The fragments of a peer before and after a rotation. */
export async function twoFragments(): Promise<readonly [string, string]> {
  const cwd = await makeStore(['alice'], ['--agent', 'billing', '--url', 'https://billing.example/a?b=c&d'])
  const fragment = async (): Promise<string> => (await runCli(['config', 'client', 'alice'], { cwd })).stdout
  const before = await fragment()
  expect((await runCli(['rotate', 'alice'], { cwd })).exitCode).toBe(0)
  return [before, await fragment()]
}

/** Token and seed of a fragment. */
export function secretsOf(fragment: string): string[] {
  const secrets = Array.from(fragment.matchAll(/^A2A_TOTP_(?:TOKEN|SEED)=(.+)$/gm), ([, value = '']) => value)
  expect(secrets).toHaveLength(2)
  return secrets
}

/** Tests the recipes of docs/delivery.md that need large programs, or the others. */
export function describeRecipes({ large }: { readonly large: boolean }): void {
  for (const [name, { programs, inCi, open, large: isLarge = false, standIn, writes }] of Object.entries(
    places,
  )) {
    if (isLarge !== large) continue
    const missing = programs.filter((program) => !isInstalled(program))
    const remark =
      missing.length > 0 ? ` needs ${missing.join(', ')}` : standIn ? `, with a stand-in for ${standIn}` : ''
    const title = `${name}.sh${remark}`
    describe.skipIf(missing.length > 0 && !(inCi && process.env['CI']))(title, () => {
      it('creates and replaces, refuses an empty fragment, fails when the place does, and shows no secret', async () => {
        const code = recipes.get(name) ?? 'exit 9'
        const folder = makeFolder()
        const place = await open(folder)
        const { env = {}, expected = (fragment) => fragment.trimEnd() } = place
        const fragments = await twoFragments()
        const secrets = fragments.flatMap(secretsOf)
        const attempt = async (fragment: string): Promise<number> => {
          place.prepare?.(fragment)
          const { exitCode, output, started } = await deliver(code, fragment, { folder, env })
          for (const secret of secrets) {
            expect(output).not.toContain(secret)
            expect(started).not.toContain(secret)
            // The peer's own folder is below this one; a stand-in keeps what it is given.
            const may = name === 'ssh' || standIn !== undefined
            if (!may || !fragment.includes(secret)) expect(holdsText(folder, secret)).toBe(false)
          }
          if (canTrace) expect(started).toContain('A2A_TOTP_PEER=alice')
          if (exitCode !== 0 && fragment === fragments[0]) throw new Error(output)
          return exitCode
        }

        for (const fragment of [fragments[0], fragments[1], fragments[1]]) {
          expect(await attempt(fragment)).toBe(0)
          expect(place.delivered().trimEnd()).toBe(expected(fragment))
        }
        const { exitCode } = await deliver(code, '', { folder, env })
        expect(exitCode).not.toBe(0)
        expect(place.delivered().trimEnd()).toBe(expected(fragments[1]))
        if (writes !== undefined) {
          deafen(folder, writes)
          const { exitCode, output } = await deliver(code, fragments[0], { folder, env })
          // Nothing complained but the comparison; where there is no file, what should decrypt it does.
          expect([exitCode, writes[1] === 'encrypt' ? '' : output]).toEqual([1, ''])
          expect(place.delivered().trimEnd()).toBe(expected(fragments[1]))
        }
        place.fail()
        expect((await deliver(code, fragments[0], { folder, env })).exitCode).not.toBe(0)
        // Half a fragment arrived.
        if (name === 'ssh') expect(place.delivered().trimEnd()).toBe(expected(fragments[1]))
      })
    })
  }
}
