// What prints a code with otplib: a peer of `a2a-totp code`.
import { generateSync } from 'otplib'

console.log(generateSync({ secret: process.env['A2A_TOTP_SEED'] ?? '' }))
