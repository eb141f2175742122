// A service whose issuer is the very address it is reached at, as discovery and peers on their own need it.
import { Agent as HttpsAgent } from 'node:https'
import { readFile } from 'node:fs/promises'
import { Agent, fetch, type RequestInfo } from 'undici'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { testEnvironment, type TestEnvironment } from './environment.ts'

export interface OwnIssuer extends TestEnvironment {
  issuer: string
  /** PEM: whoever trusts it trusts the service. */
  certFile: string
  /** For clients on node:https that are to trust it. */
  httpsAgent: HttpsAgent
  /** For clients that fetch and are to trust it. */
  fetch: (input: string | URL | Request, init?: object) => Promise<Response>
}

/** As `testEnvironment` does it, with `ISSUER` set. */
export async function ownIssuer(env: Record<string, string> = {}): Promise<OwnIssuer> {
  const port = await freePort()
  const issuer = `https://localhost:${port}`
  const environment = await testEnvironment({ PORT: String(port), ISSUER: issuer, ...env })
  const { certFile } = environment.signoff.files
  const ca = await readFile(certFile)
  const httpsAgent = new HttpsAgent({ ca })
  const dispatcher = new Agent({ connect: { ca } })

  return {
    ...environment,
    issuer,
    certFile,
    httpsAgent,
    fetch: async (input, init) => {
      // Undici's own and Node's are the same, but for their types.
      const response: unknown = await fetch(input as RequestInfo, { ...init, dispatcher })
      return response as Response
    },
    stop: async () => {
      httpsAgent.destroy()
      await dispatcher.destroy()
      await environment.stop()
    },
  }
}
