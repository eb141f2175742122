// HTTPS to an instance, on kept connections: bounded in time, and never rejecting.
import { randomInt } from 'node:crypto'
import { Pool } from 'undici'
import type { InstanceName, Operation } from './history.ts'
import type { RunService } from './world.ts'

/** Longer than any deadline: what is late is to be seen to be late. */
const GIVE_UP_MS = 12_000
const MAX_CONNECTIONS = 128

export interface Request {
  method?: 'GET'
  path: string
  json?: object
  /** An access token. */
  bearer?: string
}

export interface Response {
  answer: Operation['answer']
  body: Record<string, unknown>
}

/** As many at a time as clients may wait for an instance that hangs. */
export function poolOf({ instances, certificate }: RunService, name: InstanceName): Pool {
  return new Pool(instances[name].url, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: {
      ca: certificate,
      timeout: GIVE_UP_MS,
      lookup: (_name, _options, done) => {
        done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    },
  })
}

/** `no answer` where there was none, whatever the reason. */
export async function send(pool: Pool, { method, path, json, bearer }: Request): Promise<Response> {
  try {
    const { statusCode, body } = await pool.request({
      method: method ?? 'POST',
      path,
      headers: {
        // From anywhere, so that nobody is taken for somebody who guesses.
        'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}`,
        ...(json && { 'content-type': 'application/json' }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
      },
      body: json ? JSON.stringify(json) : null,
      signal: AbortSignal.timeout(GIVE_UP_MS),
    })
    const text = await body.text()
    // In Node's own words: the process stood still while the request came in, and nobody has looked at it.
    if (statusCode === 408) return { answer: 'no answer', body: {} }
    return { answer: statusCode, body: text.startsWith('{') ? (JSON.parse(text) as Response['body']) : {} }
  } catch {
    return { answer: 'no answer', body: {} }
  }
}
