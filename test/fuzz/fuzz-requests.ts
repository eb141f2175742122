// The requests of the fuzzer: from the description of the service, and from chance.
import { deflateSync, gzipSync } from 'node:zlib'
import type { Random } from '../fault/random.ts'

/** What of an OpenAPI description counts here. */
export interface Description {
  paths: Record<string, Record<string, { requestBody?: { content?: Record<string, { schema?: Schema }> } }>>
  components?: { schemas?: Record<string, Schema> }
}

interface Schema {
  $ref?: string
  properties?: Record<string, Schema>
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}

export interface Endpoint {
  method: string
  path: string
  /** Names that its bodies know. */
  fields: string[]
}

/** Good ones, taken from logins of the fuzzer's own. */
export interface Credentials {
  access: string[]
  refresh: string[]
  cookies: { cookie: string; csrf: string }[]
  usernames: string[]
  password: string
}

export interface FuzzRequest {
  bytes: Buffer
  isHead: boolean
  /** What it is, for a report. */
  kind: string
  endpoint: string
  /** The caller goes before it has sent all of it. */
  isHalf: boolean
  /** Written behind the first without waiting. */
  pipelined: number
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']
const OTHER_FIELDS = ['__proto__', 'scope', 'all_devices', 'remember_me', 'x', '']

export function endpointsOf({ paths, components }: Description): Endpoint[] {
  const namesOf = (schema: Schema | undefined, depth = 0): string[] => {
    if (!schema || depth > 5) return []
    const referred = schema.$ref ? components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] : undefined
    const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
    return [
      ...Object.keys(schema.properties ?? {}),
      ...namesOf(referred, depth + 1),
      ...parts.flatMap((part) => namesOf(part, depth + 1)),
    ]
  }
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      fields: [
        ...new Set(Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => namesOf(schema))),
      ],
    })),
  )
}

export function fuzzRequests(endpoints: readonly Endpoint[], credentials: Credentials, random: Random) {
  const pick = <T>(items: readonly T[]): T => random.pick(items)
  const chance = (probability: number): boolean => random.chance(probability)
  const whole = (least: number, most: number): number => Math.floor(random.between(least, most + 1))

  return (): FuzzRequest => {
    const endpoint = pick(endpoints)
    const method = chance(0.9) ? endpoint.method : pick(METHODS)
    const body =
      method === 'GET' || method === 'HEAD' ? (chance(0.1) ? bodyOf(endpoint) : NO_BODY) : bodyOf(endpoint)
    const lines = [
      `${method} ${targetOf(endpoint)} HTTP/1.1`,
      'Host: localhost',
      `X-Forwarded-For: 10.${whole(0, 255)}.${whole(0, 255)}.${whole(1, 254)}`,
      ...credentialLines(),
      ...body.lines,
    ]
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
    const isHalf = body.bytes.length > 1 && chance(0.05)
    const sent = isHalf ? body.bytes.subarray(0, whole(0, body.bytes.length - 1)) : body.bytes
    return {
      bytes: Buffer.concat([head, sent]),
      isHead: method === 'HEAD',
      kind: body.kind,
      endpoint: `${method} ${endpoint.path}`,
      isHalf,
      pipelined: isHalf || !chance(0.1) ? 0 : whole(1, 3),
    }
  }

  function targetOf({ path }: Endpoint): string {
    const id = () => pick(['01a1fe9c-5b63-7cc4-9f0e-3fb2b261fba0', 'x', '%00', '..', "'", 'A'.repeat(300)])
    const target = path.replace(/\{[^}]+\}/g, id) + (chance(0.2) ? '/' : '')
    return chance(0.15)
      ? `${target}?${pick(['scope=all', 'scope=x', 'all_devices=true', 'cursor=%ff', 'a&a&=', 'x=1'])}`
      : target
  }

  function credentialLines(): string[] {
    const { cookie, csrf } = pick(credentials.cookies)
    switch (whole(0, 7)) {
      case 0:
        return [`Authorization: Bearer ${pick(credentials.access)}`]
      case 1:
        return [`Authorization: Bearer ${altered(pick(credentials.access))}`]
      case 2:
        return [
          `Authorization: ${pick(['Bearer', 'Bearer  x', 'Basic eDp5', 'bearer a b', 'Basic ====', 'Bearer \u00ff'])}`,
        ]
      case 3:
        return [`Cookie: ${cookie}`, `X-CSRF-Token: ${csrf}`]
      case 4:
        return [`Cookie: ${altered(cookie)}`, 'Origin: https://evil.example']
      default:
        return []
    }
  }

  function altered(text: string): string {
    const at = whole(0, text.length - 1)
    return `${text.slice(0, at)}${pick(['A', '.', '=', ''])}${text.slice(at + 1)}`
  }

  function valueOf(field: string): unknown {
    if (chance(0.5)) {
      if (/refresh|token/.test(field)) return pick([...credentials.refresh, pick(credentials.access)])
      if (/username/.test(field)) return pick(credentials.usernames)
      if (/password/.test(field)) return chance(0.3) ? credentials.password : 'wrong'
      if (field === 'scope') return pick(['this', 'others', 'all', 'none'])
    }
    return pick<unknown>([
      '',
      ' ',
      'x',
      'x'.repeat(whole(1, 5000)),
      '\u0000',
      '\ud800',
      '\u202e\u200b',
      altered(pick(credentials.refresh)),
      null,
      true,
      0,
      -1.5e308,
      [],
      {},
      [[[[[[[[]]]]]]]],
      { $gt: '' },
    ])
  }

  interface Body {
    kind: string
    lines: string[]
    bytes: Buffer
  }

  function bodyOf({ fields }: Endpoint): Body {
    const names = [...fields, ...OTHER_FIELDS].filter((name) =>
      fields.includes(name) ? chance(0.85) : chance(0.05),
    )
    const values = Object.fromEntries(names.map((name) => [name, valueOf(name)]))
    const json = Buffer.from(JSON.stringify(values))
    switch (whole(0, 11)) {
      case 0:
        return NO_BODY
      case 1: {
        const form = new URLSearchParams(
          names.map((name): [string, string] => [name, String(values[name])]),
        ).toString()
        return sized('form', Buffer.from(form), ['Content-Type: application/x-www-form-urlencoded'])
      }
      case 2: {
        const parts = names.map(
          (name) =>
            `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${String(values[name])}\r\n`,
        )
        return sized('multipart', Buffer.from(`${parts.join('')}--b--\r\n`), [
          'Content-Type: multipart/form-data; boundary=b',
        ])
      }
      case 3:
        return sized('garbage', Buffer.from(Array.from({ length: whole(1, 400) }, () => whole(0, 255))), [
          `Content-Type: ${pick(['application/json', 'text/plain', 'x', 'multipart/form-data; boundary=b'])}`,
        ])
      case 4: {
        const packed = chance(0.5) ? gzipSync(json) : deflateSync(Buffer.alloc(whole(1000, 300_000)))
        return sized('compressed', packed, [
          'Content-Type: application/json',
          `Content-Encoding: ${pick(['gzip', 'deflate', 'br', 'x'])}`,
        ])
      }
      case 5:
        return sized('too long', Buffer.alloc(whole(16_385, 400_000), 'x'), [
          'Content-Type: application/json',
        ])
      case 6:
        return chunked('chunks', chance(0.5) ? json : Buffer.alloc(whole(1, 300_000), 'x'))
      case 7:
        return sized('cut JSON', json.subarray(0, whole(0, json.length)), ['Content-Type: application/json'])
      default:
        return sized('JSON', json, ['Content-Type: application/json'])
    }
  }

  function chunked(kind: string, bytes: Buffer): Body {
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length;) {
      const chunk = bytes.subarray(at, at + whole(1, 60_000))
      parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
      at += chunk.length
    }
    parts.push(Buffer.from('0\r\n\r\n'))
    return {
      kind,
      lines: ['Content-Type: application/json', 'Transfer-Encoding: chunked'],
      bytes: Buffer.concat(parts),
    }
  }
}

const NO_BODY = { kind: 'no body', lines: [], bytes: Buffer.alloc(0) }

function sized(kind: string, bytes: Buffer, lines: string[]) {
  return { kind, lines: [...lines, `Content-Length: ${bytes.length}`], bytes }
}
