// Callers that ask and do not read: what they leave unread must not pile up.
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { expect } from 'chai'
import Koa from 'koa'
import { answerDeadline } from '../../src/http/server/answer-deadline.ts'
import { eventually } from '../support/service/environment.ts'

/** More than sockets and systems keep on the way. */
const LONG = 'x'.repeat(64 * 1024 * 1024)

describe('answerDeadline', () => {
  /** Resolves to the service's side of a connection on which one request was sent. */
  const asked = async (
    app: Koa,
    request: { reads: boolean },
  ): Promise<{ service: Socket; end: () => void }> => {
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => undefined)
    const [service] = (await once(server, 'connection')) as [Socket]
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    if (request.reads) client.resume()
    return {
      service,
      end: () => {
        client.destroy()
        server.close()
      },
    }
  }

  const answering = (type: string, readMs: number): Koa => {
    const app = new Koa()
    app.use(answerDeadline(readMs))
    app.use((ctx) => {
      ctx.body = LONG
      ctx.type = type
    })
    return app
  }

  it('ends the connection of a caller that does not read', async () => {
    const { service, end } = await asked(answering('text/plain', 50), { reads: false })

    await eventually(() => service.destroyed)
    end()
  })

  it('leaves a caller alone that has read', async () => {
    const { service, end } = await asked(answering('text/plain', 10_000), { reads: true })

    await eventually(() => service.bytesWritten > LONG.length && service.writableLength === 0)
    expect(service.destroyed).to.equal(false)
    end()
  })

  it('leaves streams of events to those who send them', async () => {
    const { service, end } = await asked(answering('text/event-stream', 1), { reads: false })

    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(service.destroyed).to.equal(false)
    end()
  })
})
