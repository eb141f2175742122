// Postgres for all processes of a run, kept by the one that outlives the others: a worker of mocha is never told its end.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StartedPostgres {
  url: string
  remove(): Promise<void>
}

export interface PostgresOffer {
  /** For each process that asks. */
  start: () => Promise<StartedPostgres>
  /** Called once. Resolves to a data directory, to be copied by those who want a Postgres to break. */
  prepare: () => Promise<string>
}

/** Names, to every process of the run, where to ask. */
const OFFER = 'SIGNOFF_TEST_POSTGRES_OFFER'
const SERVER = '/server'
const DATA = '/data'

/** What this resolves to stops all that were started. */
export async function offerPostgres({ start, prepare }: PostgresOffer): Promise<() => Promise<void>> {
  const started: Promise<StartedPostgres>[] = []
  let prepared: Promise<string> | undefined

  const answer = async (path: string | undefined): Promise<string> => {
    if (path === DATA) {
      prepared ??= prepare()
      // On a machine that is too busy at one moment, the next who asks gets another try.
      prepared.catch(() => (prepared = undefined))
      return await prepared
    }
    const one = start()
    started.push(one)
    return (await one).url
  }
  const server = createServer(({ url }, response) => {
    void tell(response, answer(url))
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

async function tell(response: ServerResponse, answer: Promise<string>): Promise<void> {
  try {
    response.end(await answer)
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
}

/** Its URL. Rejects with why it did not start. */
export async function offeredPostgres(): Promise<string> {
  const url = await ask(SERVER)
  if (url === null)
    throw new Error('nobody offers a Postgres: mocha does, by test/support/servers/servers.ts')
  return url
}

/** A data directory with the schema in it, of no server that runs; null outside of a run of mocha. */
export async function offeredData(): Promise<string | null> {
  return await ask(DATA)
}

async function ask(path: string): Promise<string | null> {
  const offer = process.env[OFFER]
  if (offer === undefined) return null
  const answer = await fetch(`${offer}${path}`)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}
