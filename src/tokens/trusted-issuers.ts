// Reads the TRUSTED_ISSUERS file: which other login services' tokens are accepted, under which keys.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { importSPKI } from 'jose'
import { z } from 'zod'
import { readTrustedFile } from '../file-trust.ts'
import { ISSUER_ALGORITHMS, type IssuerKeySource } from './issuer-keys.ts'
import { problemOfRsaKey } from './rsa-weakness.ts'

export interface TrustedIssuer {
  /** `iss` of its tokens, exactly. */
  issuer: string
  /** `aud` of its tokens must be or contain this. */
  audience: string
  keys: IssuerKeySource
}

/** P-256, P-384 and P-521, as OpenSSL calls them. */
const CURVES: unknown[] = ['prime256v1', 'secp384r1', 'secp521r1']
const KINDS_EXPECTED = 'an RSA, Ed25519, P-256, P-384 or P-521 public key is expected'
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const KEY_FIELDS = ['jwks_url', 'jwks', 'public_key'] as const

/** A value that is no object at all gets this message; an unknown field keeps the one that names it. */
const objectOr = (message: string) => ({
  error: (issue: z.core.$ZodRawIssue) => (issue.code === 'invalid_type' ? message : undefined),
})

const refusedFor =
  <Value>(problemOf: (value: Value) => string | null) =>
  (ctx: z.core.ParsePayload<Value>): void => {
    const message = problemOf(ctx.value)
    if (message) ctx.issues.push({ code: 'custom', message, input: ctx.value })
  }

const text = z.string('a text is expected').min(1, 'a text that is not empty is expected')

const jwksUrl = z.string('a URL is expected').check(refusedFor(problemOfUrl))

const jwk = z
  .looseObject({ kty: text }, objectOr('a JSON Web Key is expected'))
  .check(refusedFor(problemOfJwk))

const jwkList = z.array(jwk, 'a list of keys is expected').min(1, 'a key is expected')

const entryFields = {
  issuer: text,
  audience: text,
  jwks_url: jwksUrl.optional(),
  jwks: z.looseObject({ keys: jwkList }, objectOr('{"keys":[…]} is expected')).optional(),
  public_key: text.optional(),
  algorithm: z.enum(ISSUER_ALGORITHMS, `one of ${ISSUER_ALGORITHMS.join(', ')} is expected`).optional(),
}

const entrySchema = z
  .strictObject(entryFields, objectOr('{"issuer":…,"audience":…} is expected'))
  .check(refusedFor(problemOfFields))

const fileSchema = z.strictObject(
  { issuers: z.array(entrySchema, 'a list is expected').min(1, 'an issuer is expected') },
  objectOr('{"issuers":[…]} is expected'),
)

type Entry = z.infer<typeof entrySchema>

/**
 * Resolves to the issuers in the file at `path`. Rejects with an `Error` whose message tells the
 * operator everything that is wrong with the file, a line each; `ownIssuer` is ours, and not to be in it.
 */
export async function readTrustedIssuers(path: string, ownIssuer: string): Promise<TrustedIssuer[]> {
  const file = fileSchema.safeParse(parseJson(readTrustedFile(path)))
  if (!file.success) throw new Error(file.error.issues.map(describeIssue).join('\n'))

  const { issuers: entries } = file.data
  const loaded = await Promise.all(entries.map(loadEntry))
  const problems = [
    ...problemsOfNames(entries, ownIssuer),
    ...loaded.flatMap((result) => ('problem' in result ? [result.problem] : [])),
  ]
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return loaded.flatMap((result) => ('issuer' in result ? [result.issuer] : []))
}

function problemsOfNames(entries: Entry[], ownIssuer: string): string[] {
  return entries.flatMap(({ issuer }, index) => {
    const isRepeated = entries.findIndex((other) => other.issuer === issuer) < index
    return [
      ...(isRepeated ? [`issuers[${index}]: ${issuer} is listed twice`] : []),
      ...(issuer === ownIssuer ? [`issuers[${index}]: ${issuer} is this service itself (ISSUER)`] : []),
    ]
  })
}

async function loadEntry(
  entry: Entry,
  index: number,
): Promise<{ issuer: TrustedIssuer } | { problem: string }> {
  try {
    const { issuer, audience } = entry
    return { issuer: { issuer, audience, keys: await keySourceOf(entry) } }
  } catch (error) {
    return { problem: `issuers[${index}].public_key: ${(error as Error).message}` }
  }
}

async function keySourceOf(entry: Entry): Promise<IssuerKeySource> {
  if (entry.jwks_url !== undefined) return { jwksUrl: new URL(entry.jwks_url) }
  if (entry.jwks !== undefined) return { jwks: entry.jwks }
  if (entry.public_key === undefined || entry.algorithm === undefined) throw new Error('is missing')

  const { public_key: pem, algorithm } = entry
  const problem = problemOfKey(publicKeyOf(pem))
  if (problem) throw new Error(problem)
  try {
    return { publicKey: await importSPKI(pem, algorithm), algorithm }
  } catch (cause) {
    throw new Error(`no key for ${algorithm}`, { cause })
  }
}

function publicKeyOf(pem: string): KeyObject {
  try {
    // Anything else, a private key above all, is nothing to keep in this file.
    if (pem.startsWith('-----BEGIN PUBLIC KEY-----')) return createPublicKey(pem)
  } catch {
    // The same answer as for no PEM at all.
  }
  throw new Error('a PEM text that begins with -----BEGIN PUBLIC KEY----- is expected')
}

function problemOfFields(entry: Record<string, unknown>): string | null {
  const given = KEY_FIELDS.filter((field) => entry[field] !== undefined)
  if (given.length !== 1) {
    return `exactly one of ${KEY_FIELDS.join(', ')} is expected, not ${given.join(' and ') || 'none'}`
  }
  const hasAlgorithm = entry['algorithm'] !== undefined
  if (given[0] === 'public_key' && !hasAlgorithm) return 'algorithm is expected with public_key'
  if (given[0] !== 'public_key' && hasAlgorithm) return 'algorithm is only for public_key'
  return null
}

function problemOfUrl(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url?.username || url?.password) return 'a URL without user name and password is expected'
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))
  return isSafe ? null : 'an https:// URL is expected (http:// only on loopback)'
}

function problemOfJwk(value: Record<string, unknown>): string | null {
  if ('d' in value || 'k' in value) return 'a private key: only public keys belong here'
  try {
    return problemOfKey(createPublicKey({ key: value, format: 'jwk' }))
  } catch {
    return KINDS_EXPECTED
  }
}

function problemOfKey(key: KeyObject): string | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa') return problemOfRsaKey(key.export({ format: 'jwk' }))
  const isUsable = type === 'ed25519' || (type === 'ec' && CURVES.includes(details?.namedCurve))
  return isUsable ? null : KINDS_EXPECTED
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new Error('not JSON: {"issuers":[…]} is expected', { cause })
  }
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  const where = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return `${where.slice(1) || 'the file'}: ${message}`
}
