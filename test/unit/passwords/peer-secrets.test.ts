// Secrets of peers: made, kept as hashes, compared.
import { expect } from 'chai'
import { peerSecrets } from '../../../src/passwords/peer-secrets.ts'

describe('peerSecrets', () => {
  it('makes 256 bits that fit into a header, a URL and a shell, new each time', () => {
    const secrets = Array.from({ length: 100 }, () => peerSecrets.create())

    expect(new Set(secrets)).to.have.property('size', 100)
    for (const secret of secrets) expect(secret).to.match(/^[\w-]{43}$/)
  })

  it('keeps SHA-256', () => {
    expect(Buffer.from(peerSecrets.hash('abc')).toString('hex')).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })

  it('knows the secret again, and no other', () => {
    const hash = peerSecrets.hash('secret')

    expect(peerSecrets.isRight('secret', hash)).to.equal(true)
    for (const wrong of ['Secret', 'secret ', '', 'secre', 'x'.repeat(10_000)]) {
      expect(peerSecrets.isRight(wrong, hash), wrong).to.equal(false)
    }
  })

  it('finds no secret right where there is no peer', () => {
    expect(peerSecrets.isRight('secret', null)).to.equal(false)
  })
})
