// Keeps a self-signed certificate for localhost, made anew when it nears its end or is no good.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type * as Selfsigned from 'selfsigned'
import { writePrivateFile } from './files/private-file.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000
// Clients refuse a certificate for longer than 398 days.
const VALID_DAYS = 396
const RENEW_DAYS = 7
const ADDRESSES = ['127.0.0.1', '::1']

export interface CertificateFiles {
  /** PEM; to be trusted as it is, as in `curl --cacert`. */
  certFile: string
  /** PEM, mode 0600. */
  keyFile: string
}

/** Resolves to a certificate for localhost, 127.0.0.1 and ::1 that is good for a week at least, and its key. */
export async function developmentCertificate(dir: string): Promise<CertificateFiles> {
  const files = { certFile: path.resolve(dir, 'cert.pem'), keyFile: path.resolve(dir, 'key.pem') }
  if (!(await isGood(files))) {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const { private: key, cert } = await generate()
    // An interruption between the two leaves a pair that does not match, which the next start replaces.
    await writePrivateFile(files.keyFile, key)
    await writePrivateFile(files.certFile, cert)
  }
  return files
}

async function isGood({ certFile, keyFile }: CertificateFiles): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(certFile))
    const key = createPrivateKey(await readFile(keyFile))
    return (
      certificate.checkPrivateKey(key) &&
      Date.parse(certificate.validFrom) <= Date.now() &&
      Date.parse(certificate.validTo) - Date.now() > RENEW_DAYS * DAY_MS &&
      certificate.checkHost('localhost') !== undefined &&
      ADDRESSES.every((address) => certificate.checkIP(address) !== undefined)
    )
  } catch {
    return false
  }
}

async function generate(): Promise<Selfsigned.GenerateResult> {
  const { generate: selfSigned } = await loadSelfsigned()
  const now = Date.now()
  return await selfSigned([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // An hour back, for a client whose clock is behind.
    notBeforeDate: new Date(now - HOUR_MS),
    notAfterDate: new Date(now + VALID_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [{ type: 2, value: 'localhost' }, ...ADDRESSES.map((ip) => ({ type: 7 as const, ip }))],
      },
    ],
  })
}

async function loadSelfsigned(): Promise<typeof Selfsigned> {
  try {
    return await import('selfsigned')
  } catch (cause) {
    throw new Error(
      'TLS_CERT_FILE is not set and selfsigned, which would make a development certificate, is not installed: ' +
        'set TLS_CERT_FILE and TLS_KEY_FILE, or install the development dependencies (npm install).',
      { cause },
    )
  }
}
