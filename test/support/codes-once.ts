import { HOTP } from 'otpauth'
import { onTestFinished, vi } from 'vitest'

/** Until the end of the test: each step has a look at 80 codes, which are mostly those of the step before. */
export function computeEachCodeOnce(): void {
  const generate = HOTP.generate.bind(HOTP)
  const codes = new Map<string, string>()
  const spy = vi.spyOn(HOTP, 'generate').mockImplementation((options) => {
    const { secret, algorithm, digits, counter } = options
    const key = [Buffer.from(secret.bytes).toString('latin1'), algorithm, digits, counter].join()
    const code = codes.get(key) ?? generate(options)
    codes.set(key, code)
    return code
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
}
