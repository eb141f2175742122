// What each consumer is asked: whether it takes a token for a live access token.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OwnIssuer } from '../../support/service/own-issuer.ts'

export interface Consumer {
  /** As in its package. */
  name: string
  /** With nothing set but what its manual asks for, and the trust in the test certificate. */
  start(service: OwnIssuer): Promise<RunningConsumer>
}

export interface RunningConsumer {
  /** 200: taken, 401: refused; anything else is neither. */
  statusFor(token: string): Promise<number>
  stop(): Promise<void>
}

/** A consumer that is a server: the token goes where it does in life. */
export async function served(listener: RequestListener): Promise<RunningConsumer> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    statusFor: askedAt(`http://127.0.0.1:${port}/`),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function askedAt(url: string): RunningConsumer['statusFor'] {
  return async (token) => {
    const { status } = await fetch(url, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    })
    return status
  }
}

/** A consumer that is a function: it resolves for what it takes, and `refuses` knows its refusals. */
export function called(
  verify: (token: string) => Promise<unknown>,
  refuses: (error: unknown) => boolean,
): RunningConsumer {
  return {
    statusFor: async (token) =>
      await verify(token).then(
        () => 200,
        (error: unknown) => {
          if (refuses(error)) return 401
          throw error
        },
      ),
    stop: async () => {
      await Promise.resolve()
    },
  }
}
