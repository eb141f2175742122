// A Django peer on djangorestframework-simplejwt, with its keys through JWK_URL.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { python } from '../../support/servers/python.ts'
import { askedAt, type Consumer } from './consumer.ts'

export const simplejwt: Consumer = {
  name: 'djangorestframework-simplejwt',
  start: async ({ issuer, certFile }) => {
    const { executablePath, env } = await python()
    const child = spawn(executablePath, [resolve('test/e2e/consumers/simplejwt.py')], {
      env: { ...env, ISSUER: issuer, SSL_CERT_FILE: certFile },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    const [port] = (await Promise.race([
      once(lines, 'line'),
      exited.then(([status]) => {
        throw new Error(`the Django peer ended with ${String(status)}`)
      }),
    ])) as [string]

    return {
      statusFor: askedAt(`http://127.0.0.1:${port}/`),
      stop: async () => {
        child.kill()
        await exited
      },
    }
  },
}
