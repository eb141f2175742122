// The keys that somebody publishes at a JWKS URL: fetched, kept, and not asked for too often (RFC 7517).
import { createRemoteJWKSet, customFetch, errors, type CompactVerifyGetKey } from 'jose'
import { readBody } from './read-body.ts'

export interface RemoteKeys {
  /**
   * The key of a token. Rejects with jose's errors where no key fits, with `KeysUnavailableError` when
   * the keys cannot be had.
   */
  keyFor: CompactVerifyGetKey
  /** Fetches them again; when that fails, the old ones stay. Rejects with `KeysUnavailableError` when there are none. */
  refresh: () => Promise<void>
  /** Whether they were fetched within so many seconds. */
  isYoungerThan: (seconds: number) => boolean
  /** Another number whenever other keys are published. */
  version: () => number
}

/** No more than this is asked of a `fetch` here. */
export type FetchKeys = (
  url: string,
  init: {
    method: 'GET'
    headers: Record<string, string>
    redirect: 'error'
    signal: AbortSignal
  },
) => Promise<{ status: number; body: ReadableStream<Uint8Array> | null }>

export interface RemoteKeysDeps {
  /** Seconds, by any clock. */
  now: () => number
  fetch: FetchKeys
  /** A server that failed is left alone for so long. */
  failurePauseSeconds: number
  /** Hears of each failure to fetch. */
  onFetchFailure: (url: URL, cause: unknown) => void
  /** Says what is wrong with a key; such a one is left out, as if it were not published. */
  problemOf?: (key: PublishedKey) => string | null
  /** Hears of a key that was left out, once as long as it is published. */
  onLeftOut?: (url: URL, leftOut: LeftOut) => void
}

/** A JSON Web Key of which nothing is known yet. */
export type PublishedKey = Record<string, unknown>

export interface LeftOut {
  kid: unknown
  problem: string
}

/** The keys cannot be had: nobody answers, or with something else. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'

  constructor(cause: unknown) {
    super('the keys cannot be fetched', { cause })
  }
}

const FETCH_TIMEOUT_MS = 2_000
const MAX_JWKS_BYTES = 64 * 1024
/** A token that names an unknown key fetches no sooner than this after the last one that did. */
const UNKNOWN_KEY_PAUSE_SECONDS = 60

/**
 * jose fetches (one fetch for all who wait), checks and chooses; when to fetch is decided here, as
 * jose would ask an issuer that is down once for every token, and forget its keys meanwhile.
 */
export function remoteKeys(url: URL, { now, onFetchFailure, ...deps }: RemoteKeysDeps): RemoteKeys {
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cacheMaxAge: Infinity,
    cooldownDuration: Infinity,
    [customFetch]: async (href, { signal, headers }) =>
      new Response(
        fit(await fetchBounded(deps.fetch, href, { signal, headers: Object.fromEntries(headers) })),
      ),
  })
  let fetchedAt: number | null = null
  let soughtUnknownAt: number | null = null
  let failure: { at: number; cause: unknown } | null = null
  let published = ''
  let version = 0
  let told = ''

  return {
    async keyFor(header, token) {
      if (fetchedAt === null) await reload()
      try {
        return await remote(header, token)
      } catch (error) {
        const mayBeNew = error instanceof errors.JWKSNoMatchingKey
        if (!mayBeNew || isWithin(soughtUnknownAt, UNKNOWN_KEY_PAUSE_SECONDS)) throw error
      }
      await reload()
      soughtUnknownAt = now()
      return await remote(header, token)
    },

    async refresh() {
      try {
        await reload()
      } catch (error) {
        // Old keys are better than none: they outlive an issuer that is down.
        if (fetchedAt === null) throw error
      }
    },

    isYoungerThan: (seconds) => isWithin(fetchedAt, seconds),
    version: () => version,
  }

  async function reload(): Promise<void> {
    if (failure && isWithin(failure.at, deps.failurePauseSeconds)) {
      throw new KeysUnavailableError(failure.cause)
    }
    try {
      await remote.reload()
    } catch (cause) {
      // Of those who waited for the same fetch, the first tells.
      if (!failure || !isWithin(failure.at, deps.failurePauseSeconds)) onFetchFailure(url, cause)
      failure = { at: now(), cause }
      throw new KeysUnavailableError(cause)
    }
    fetchedAt = now()
    const fetched = JSON.stringify(remote.jwks())
    if (fetched !== published) version += 1
    published = fetched
  }

  /** Without the keys that are not to be used; what is no set of keys is left to jose to refuse. */
  function fit(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | string {
    const { problemOf } = deps
    const keys = problemOf && keysIn(body)
    if (!keys) return body
    const problems = keys.map(problemOf)
    const leftOut = keys.flatMap(({ kid }, index) => {
      const problem = problems[index] ?? null
      return problem === null ? [] : [{ kid, problem }]
    })
    tellLeftOut(leftOut)
    return JSON.stringify({ keys: keys.filter((_, index) => problems[index] === null) })
  }

  function tellLeftOut(leftOut: LeftOut[]): void {
    const text = JSON.stringify(leftOut)
    if (text === told) return
    told = text
    for (const each of leftOut) deps.onLeftOut?.(url, each)
  }

  /** A clock that was set back ends every pause: it must not make one of an hour. */
  function isWithin(since: number | null, seconds: number): boolean {
    if (since === null) return false
    const elapsed = now() - since
    return elapsed >= 0 && elapsed < seconds
  }
}

async function fetchBounded(
  fetch: FetchKeys,
  href: string,
  { signal, headers }: { signal: AbortSignal; headers: Record<string, string> },
): Promise<Uint8Array<ArrayBuffer>> {
  const { status, body } = await fetch(href, { method: 'GET', headers, redirect: 'error', signal })
  if (status !== 200) {
    await body?.cancel()
    throw new Error(`${href} answered ${status}`)
  }
  return await readBody(body, MAX_JWKS_BYTES)
}

/** `null` for what is no set of keys. */
function keysIn(body: Uint8Array): PublishedKey[] | null {
  try {
    const { keys } = JSON.parse(new TextDecoder().decode(body)) as { keys: unknown }
    const isList = Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null)
    return isList ? (keys as PublishedKey[]) : null
  } catch {
    return null
  }
}
