// A Postgres for each process of a run, kept by the one that outlives the others: a worker of mocha is never told its end.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StartedPostgres {
  url: string
  remove(): Promise<void>
}

/** Names, to every process of the run, where to ask. */
const OFFER = 'SIGNOFF_TEST_POSTGRES_OFFER'

/** From now on, each call of `offeredPostgres` starts one. What this resolves to stops them all. */
export async function offerPostgres(start: () => Promise<StartedPostgres>): Promise<() => Promise<void>> {
  const started: Promise<StartedPostgres>[] = []
  const server = createServer((_request, response) => {
    const one = start()
    started.push(one)
    void tell(response, one)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env[OFFER] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return async () => {
    server.close()
    server.closeAllConnections()
    for (const one of await Promise.allSettled(started))
      if (one.status === 'fulfilled') await one.value.remove()
  }
}

async function tell(response: ServerResponse, one: Promise<StartedPostgres>): Promise<void> {
  try {
    response.end((await one).url)
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
}

/** Its URL. Rejects with why it did not start. */
export async function offeredPostgres(): Promise<string> {
  const offer = process.env[OFFER]
  if (offer === undefined) throw new Error('nobody offers a Postgres: mocha does, by test/support/servers.ts')
  const answer = await fetch(offer)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}
