// Peers need this much of HTTP: a part of what `fetch` does, so that any `fetch` will do.

export interface FetchInit {
  method?: string
  headers?: Record<string, string>
  body?: string
  redirect?: 'error'
  signal?: AbortSignal
}

export interface FetchResponse {
  status: number
  headers: { get: (name: string) => string | null }
  body: ReadableStream<Uint8Array> | null
}

/** `globalThis.fetch`, or one that knows a private certificate authority, a proxy or a socket. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>
