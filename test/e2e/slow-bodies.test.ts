// A login whose body comes slowly over a bad line: its deadline begins when it is there.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { rawConnection, type RawAnswer } from '../support/clients/raw-connection.ts'

/** Longer than a request may take altogether, and than one may be old whose password is to be hashed. */
const SLOW_MS = 3000
/** A slow machine may take too long for what comes after the body, and says so. */
const TRIES = 10

describe('a login whose body comes slowly', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  /** All but the last byte with the headers, and that one later. */
  const slowly = async (path: string): Promise<RawAnswer | 'closed'> => {
    const body = JSON.stringify({ username: 'alice', password: PASSWORD })
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
    const connection = await rawConnection(env.signoff)
    try {
      connection.write(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`)
      await sleep(SLOW_MS)
      connection.write(body.slice(-1))
      return await connection.answer()
    } finally {
      connection.destroy()
    }
  }

  for (const path of ['/auth/login/', '/auth/session', '/api/v1/auth/login']) {
    it(`is answered 200 at ${path}`, async () => {
      let answer = await slowly(path)
      for (let tries = 1; answer !== 'closed' && answer.status === 503 && tries < TRIES; tries += 1) {
        answer = await slowly(path)
      }

      expect(answer).to.include({ status: 200 })
    })
  }
})
