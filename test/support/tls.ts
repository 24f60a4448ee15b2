import { execFileSync } from 'node:child_process'

/** A key and a certificate of its own for 127.0.0.1 and localhost, made by openssl. */
export function selfSigned(): { key: Buffer; cert: Buffer } {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1']
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const printed = execFileSync('openssl', [...request, ...names, '-keyout', '-', '-out', '-'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [key, cert] = ['PRIVATE KEY', 'CERTIFICATE'].map((kind) =>
    Buffer.from(new RegExp(`-----BEGIN ${kind}-----.*-----END ${kind}-----\n`, 's').exec(printed)?.[0] ?? ''),
  )
  if (!key?.length || !cert?.length) throw new Error('openssl made no certificate')
  return { key, cert }
}
