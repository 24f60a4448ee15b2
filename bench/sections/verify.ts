import { HOTP, Secret, TOTP } from 'otpauth'
import { verifySync } from 'otplib'
import speakeasy from 'speakeasy'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCode, timeStepAt, verifyCode } from '../../src/core/totp.js'
import { CodeBook } from '../../src/server/scheme/code-book.js'
import { makePeers } from '../peers.js'
import { cost, nanoseconds, speed, type Measured, type Section } from '../report.js'
import { cpuTimeOf, takeRounds } from '../rounds.js'

/** Is this one of the seed's codes now? Window ±1, SHA1, 6 digits; a wrong code costs all three comparisons. */
export const verifySection: Section = {
  title: 'Verification of a code (CPU time, window 1)',
  async run({ rounds }) {
    const [peer] = makePeers(1)
    if (!peer) throw new Error('no peer')
    // The clock stands still, so that no step begins in the middle of a batch.
    const at = new Date()
    const { seed } = peer
    const right = generateCode(seed, defaultProfile, at)
    const wrong = wrongCode(seed.bytes, at)
    const secret = new Secret({ buffer: seed.bytes.buffer as ArrayBuffer })
    const otpauth = new TOTP({ secret })
    const book = new CodeBook(seed, defaultProfile)
    const timeStep = timeStepAt(defaultProfile, at)
    const seconds = Math.floor(at.getTime() / 1000)
    const ways = {
      otpauth: (token: string) => otpauth.validate({ token, window: 1, timestamp: at.getTime() }),
      speakeasy: (token: string) =>
        speakeasy.totp.verify({ secret: seed.base32, encoding: 'base32', token, window: 1, time: seconds }),
      'otplib 13': (token: string) =>
        verifySync({ secret: seed.bytes, token, epoch: seconds, epochTolerance: 30 }),
      'a2a-totp, every code anew (verifyCode)': (token: string) =>
        verifyCode(seed, defaultProfile, token, at),
      'a2a-totp, the step’s codes kept (CodeBook)': (token: string) => book.match(Number(token), timeStep),
    }
    const samples = await takeRounds(
      Object.fromEntries(
        Object.entries(ways).flatMap(([name, way]) => [
          [`${name}, wrong code`, cpuTimeOf(() => way(wrong))],
          [`${name}, right code`, cpuTimeOf(() => way(right))],
        ]),
      ),
      rounds,
    )
    const of = (name: string): Measured => ({ name, samples: samples[name] ?? [] })
    const kept = 'a2a-totp, the step’s codes kept (CodeBook)'
    const anew = 'a2a-totp, every code anew (verifyCode)'
    return [
      speed(of(`${kept}, wrong code`), of('otpauth, wrong code'), nanoseconds, 40),
      speed(of(`${kept}, right code`), of('otpauth, right code'), nanoseconds),
      speed(of(`${kept}, wrong code`), of('otplib 13, wrong code'), nanoseconds),
      speed(of(`${kept}, wrong code`), of('speakeasy, wrong code'), nanoseconds),
      cost(of(`${anew}, wrong code`), of('otpauth, wrong code'), nanoseconds),
      cost(of(`otplib 13, wrong code`), of('otpauth, wrong code'), nanoseconds),
      cost(of(`speakeasy, wrong code`), of('otpauth, wrong code'), nanoseconds),
    ]
  },
}

/** A code of none of the three time steps. */
function wrongCode(bytes: Uint8Array, at: Date): string {
  const secret = new Secret({ buffer: new Uint8Array(bytes).buffer })
  const now = Math.floor(at.getTime() / 30_000)
  const own = new Set([-1, 0, 1].map((drift) => HOTP.generate({ secret, counter: now + drift })))
  for (let candidate = 0; ; candidate++) {
    const code = String(candidate).padStart(6, '0')
    if (!own.has(code)) return code
  }
}
