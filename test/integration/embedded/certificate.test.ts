// The development certificate, as a client sees it.
import { expect } from 'chai'
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { generate } from 'selfsigned'
import { developmentCertificate, type CertificateFiles } from '../../../src/embedded/certificate.ts'
import { removeDir, scratchDir } from './scratch.ts'

const DAY_MS = 24 * 60 * 60 * 1000

describe('developmentCertificate', () => {
  let dir: string

  beforeEach(async () => {
    dir = path.join(await scratchDir(), 'tls')
  })
  afterEach(async () => {
    await removeDir(path.dirname(dir))
  })

  for (const host of ['localhost', '127.0.0.1', '::1']) {
    it(`is accepted by a client that trusts it and asks for ${host}`, async function () {
      const files = await developmentCertificate(dir)
      const server = https.createServer({ ...(await read(files)) }, (_request, response) =>
        response.end('hello'),
      )
      server.listen(0, host)
      const listening = await once(server, 'listening').catch(() => null)
      if (!listening) this.skip()

      const status = await get({
        host,
        port: (server.address() as AddressInfo).port,
        ca: (await read(files)).cert,
      })

      server.close()
      expect(status).to.equal(200)
    })
  }

  it('keeps its key to its owner and is for a server on localhost, for no longer than 397 days', async () => {
    const { certFile, keyFile } = await developmentCertificate(dir)

    const certificate = new X509Certificate(await readFile(certFile))
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS
    expect((await stat(keyFile)).mode & 0o777).to.equal(0o600)
    expect(certificate.subject).to.equal('CN=localhost')
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1')
    expect(certificate.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1'])
    expect(days).to.be.within(300, 397)
  })

  it('stays the same from start to start', async () => {
    const first = await read(await developmentCertificate(dir))

    const second = await read(await developmentCertificate(dir))

    expect(second).to.deep.equal(first)
  })

  const broken: Record<string, (files: CertificateFiles) => Promise<void>> = {
    'the certificate is cut off': async ({ certFile }) => {
      await writeFile(certFile, (await readFile(certFile, 'utf8')).slice(0, 100))
    },
    'the key is gone': ({ keyFile }) => rm(keyFile),
    'the key belongs to another certificate': async ({ keyFile }) => {
      await writeFile(keyFile, (await another(300)).private)
    },
    'it ends within a week': async ({ certFile, keyFile }) => {
      const ending = await another(6)
      await writeFile(certFile, ending.cert)
      await writeFile(keyFile, ending.private)
    },
  }
  for (const [condition, damage] of Object.entries(broken)) {
    it(`is made anew when ${condition}`, async () => {
      const files = await developmentCertificate(dir)
      await damage(files)
      const damaged = await readFile(files.certFile, 'utf8')

      await developmentCertificate(dir)

      const { cert, key } = await read(files)
      expect(cert).not.to.equal(damaged)
      expect(() => https.createServer({ cert, key }).close()).not.to.throw()
      expect(Date.parse(new X509Certificate(cert).validTo)).to.be.above(Date.now() + 300 * DAY_MS)
    })
  }
})

async function read(files: CertificateFiles): Promise<{ cert: string; key: string }> {
  return { cert: await readFile(files.certFile, 'utf8'), key: await readFile(files.keyFile, 'utf8') }
}

/** A certificate that is right in everything but its end. */
async function another(days: number) {
  return await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  })
}

async function get(options: { host: string; port: number; ca: string }): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    https
      .get({ ...options, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      .once('error', reject)
  })
}
