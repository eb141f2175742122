// What is said when a server cannot listen: which setting to change.
import { createServer, type AddressInfo, type Server } from 'node:net'
import { expect } from 'chai'
import { takePort, type Address } from '../../../../src/http/server/take-port.ts'

/** Set aside for documentation (RFC 5737): no machine has it. */
const NOBODYS = '192.0.2.1'

describe('takePort', () => {
  const servers: Server[] = []

  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  const take = async (address: Address): Promise<number> => {
    const server = createServer()
    servers.push(server)
    await takePort(server, address)
    return (server.address() as AddressInfo).port
  }
  const reasonOf = async (address: Address): Promise<string> =>
    await take(address).then(
      () => 'none',
      (error: unknown) => (error as Error).message,
    )

  it('takes a free port', async () => {
    expect(await take({ host: '127.0.0.1', port: 0, setting: 'PORT' })).to.be.above(0)
  })

  it('names the setting of a port that is in use', async () => {
    const port = await take({ host: '127.0.0.1', port: 0, setting: 'PORT' })

    expect(await reasonOf({ host: '127.0.0.1', port, setting: 'ADMIN_PORT' })).to.equal(
      `port ${port} is in use: set ADMIN_PORT to another one`,
    )
  })

  it('names the setting of a host that is not this machine', async () => {
    for (const [setting, host] of [
      ['PORT', 'HOST'],
      ['ADMIN_PORT', 'ADMIN_HOST'],
    ] as const) {
      expect(await reasonOf({ host: NOBODYS, port: 0, setting })).to.equal(
        `${NOBODYS} is no address of this machine (EADDRNOTAVAIL): set ${host} to one`,
      )
    }
  })
})
