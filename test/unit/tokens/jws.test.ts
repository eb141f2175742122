// Compact JWS, held against jose: what one signs the other verifies, and what is odd is refused.
import { randomBytes, sign, type KeyObject } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { compactVerify, CompactSign } from 'jose'
import { encodeJws, es256, hs256, parseJws, type Signer } from '../../../src/tokens/jws.ts'
import { base64url } from '../../support/builders/forged-token.ts'
import { testKeys } from '../../support/builders/test-keys.ts'
import { HANGING_MS } from '../../support/clients/hanging.ts'

const keys = testKeys()
const others = testKeys()

const ALGORITHMS: {
  alg: 'ES256' | 'HS256'
  signer: Signer
  stranger: Signer
  /** For jose. */
  signs: KeyObject | Buffer
  verifies: KeyObject | Buffer
  /** As good as the input of the oracle demands, and no slower. */
  runs: number
}[] = [
  {
    alg: 'HS256',
    signer: hs256(keys.refreshSecret),
    stranger: hs256(others.refreshSecret),
    signs: keys.refreshSecret,
    verifies: keys.refreshSecret,
    runs: 100,
  },
  {
    alg: 'ES256',
    signer: es256(keys),
    stranger: es256(others),
    signs: keys.privateKey,
    verifies: keys.publicKey,
    runs: 50,
  },
]

const jsonObject = () => fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 })

describe('encodeJws and parseJws', () => {
  for (const { alg, signer, stranger, signs, verifies, runs } of ALGORITHMS) {
    describe(`with ${alg}`, () => {
      it('sign what jose verifies, whatever the payload', async () => {
        await fc.assert(
          fc.asyncProperty(jsonObject(), async (payload) => {
            const token = encodeJws({ alg }, payload, signer)

            const verified = await compactVerify(token, verifies, { algorithms: [alg] })

            expect(JSON.parse(Buffer.from(verified.payload).toString())).to.deep.equal(asJson(payload))
            expect(verified.protectedHeader).to.deep.equal({ alg })
          }),
          { numRuns: runs },
        )
      })

      it('accept what jose signs, whatever the payload', async () => {
        await fc.assert(
          fc.asyncProperty(jsonObject(), async (payload) => {
            const token = await new CompactSign(Buffer.from(JSON.stringify(payload)))
              .setProtectedHeader({ alg })
              .sign(signs)

            const jws = parseJws(token)

            expect(jws?.payload).to.deep.equal(asJson(payload))
            expect(jws?.header).to.deep.equal({ alg })
            expect(jws && signer.verify(jws.signingInput, jws.signature)).to.equal(true)
          }),
          { numRuns: runs },
        )
      })

      it('refuse the signature of another key', () => {
        const input = 'header.payload'

        expect(signer.verify(input, signer.sign(input))).to.equal(true)
        expect(signer.verify(input, stranger.sign(input))).to.equal(false)
      })

      it('refuse a signature with any bit changed', () => {
        const input = 'header.payload'
        const signature = signer.sign(input)

        for (let bit = 0; bit < signature.length * 8; bit += 7) {
          const changed = Buffer.from(signature)
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          expect(signer.verify(input, changed), `bit ${bit}`).to.equal(false)
        }
      })

      it('refuse the signature of another input', () => {
        const signature = signer.sign('header.payload')

        for (const input of ['header.payloae', 'header.payload.', 'header', '']) {
          expect(signer.verify(input, signature), input).to.equal(false)
        }
      })

      it('refuse a signature of another length', () => {
        const input = 'header.payload'
        const signature = signer.sign(input)
        const lengths = [
          Buffer.alloc(0),
          signature.subarray(1),
          signature.subarray(0, -1),
          Buffer.concat([signature, Buffer.alloc(1)]),
          Buffer.concat([Buffer.alloc(1), signature]),
          Buffer.alloc(signature.length),
          Buffer.alloc(10_000),
        ]

        for (const odd of lengths) expect(signer.verify(input, odd), `${odd.length} bytes`).to.equal(false)
      })
    })
  }

  it('refuse an ES256 signature in DER, which JWS does not know', () => {
    const der = sign('sha256', Buffer.from('header.payload'), keys.privateKey)

    expect(es256(keys).verify('header.payload', der)).to.equal(false)
  })
})

describe('parseJws', () => {
  const part = base64url({ a: 1 })
  const signature = base64url(randomBytes(32))

  it('takes three parts of base64url around two objects', () => {
    expect(parseJws(`${part}.${part}.${signature}`)).to.deep.equal({
      header: { a: 1 },
      payload: { a: 1 },
      signingInput: `${part}.${part}`,
      signature: Buffer.from(signature, 'base64url'),
    })
  })

  const refused: Record<string, string> = {
    nothing: '',
    'one part': part,
    'two parts': `${part}.${part}`,
    'two parts and a dot (an unsecured JWS)': `${part}.${part}.`,
    'four parts': `${part}.${part}.${signature}.${part}`,
    'five parts (an encrypted token)': [part, part, part, part, signature].join('.'),
    'three parts and a dot': `${part}.${part}.${signature}.`,
    'an empty header': `.${part}.${signature}`,
    'an empty payload': `${part}..${signature}`,
    'only dots': '..',
    'a list as its header': `${base64url('[]')}.${part}.${signature}`,
    'a list as its payload': `${part}.${base64url('[{"a":1}]')}.${signature}`,
    'null as its header': `${base64url('null')}.${part}.${signature}`,
    'null as its payload': `${part}.${base64url('null')}.${signature}`,
    'a text as its payload': `${part}.${base64url('"text"')}.${signature}`,
    'a number as its payload': `${part}.${base64url('1')}.${signature}`,
    'true as its header': `${base64url('true')}.${part}.${signature}`,
    'a payload that is no JSON': `${part}.${base64url('{a:1}')}.${signature}`,
    'a payload with something behind the JSON': `${part}.${base64url('{"a":1}{}')}.${signature}`,
    'a header that is no JSON': `${base64url('\u0000')}.${part}.${signature}`,
    'NaN in its payload': `${part}.${base64url('{"exp":NaN}')}.${signature}`,
    padding: `${base64url('{"a": 1}')}=.${part}.${signature}`,
    'base64 that is not base64url': `${part}.${part}.${Buffer.alloc(33, 0xff).toString('base64')}`,
    'a space before it': ` ${part}.${part}.${signature}`,
    'a space in it': `${part}. ${part}.${signature}`,
    'a line break behind it': `${part}.${part}.${signature}\n`,
    'a NUL in it': `${part}.${part}\0.${signature}`,
    'a character beyond ASCII': `${part}.${part}ä.${signature}`,
    'unused bits that are set': `${part}.${part}.${nonCanonical(signature)}`,
    'unused bits that are set in its payload': `${part}.${nonCanonical(base64url('{"a":10}'))}.${signature}`,
    'base64url of an impossible length': `${part}.${part}.${signature.slice(0, 41)}`,
  }
  for (const [what, token] of Object.entries(refused)) {
    it(`is null for ${what}`, () => {
      expect(parseJws(token)).to.equal(null)
    })
  }

  it('has one spelling for each token: no other text decodes to the same parts', () => {
    const token = encodeJws({ alg: 'HS256' }, { sid: 'x' }, hs256(keys.refreshSecret))
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. '
    const parsed = parseJws(token)

    for (let at = 0; at < token.length; at++) {
      for (const letter of alphabet) {
        if (letter === token[at]) continue
        const other = parseJws(token.slice(0, at) + letter + token.slice(at + 1))
        if (other) expect({ ...other, signingInput: '' }).not.to.deep.equal({ ...parsed, signingInput: '' })
      }
    }
  })

  it('is null, and throws nothing, for arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(parseJws(text)).to.equal(null)
      }),
      { numRuns: 500 },
    )
  })

  it('answers for a megabyte of anything', () => {
    const huge = [
      '.'.repeat(1_000_000),
      'A'.repeat(1_000_000),
      `${'A'.repeat(500_000)}.${'A'.repeat(500_000)}.A`,
      `${part}.${base64url('['.repeat(500_000))}.${signature}`,
      `${part}.${base64url(`{"a":${'['.repeat(300_000)}`)}.${signature}`,
    ]
    const start = performance.now()

    for (const token of huge) expect(parseJws(token)).to.equal(null)

    expect(performance.now() - start).to.be.below(HANGING_MS)
  })

  it('takes the last of members with the same name, as jose does', async () => {
    const text = '{"sid":"first","sid":"second"}'
    const token = await new CompactSign(Buffer.from(text))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(keys.refreshSecret)

    expect(parseJws(token)?.payload).to.deep.equal({ sid: 'second' })
  })

  it('keeps a member called __proto__ a member', () => {
    const jws = parseJws(`${part}.${base64url('{"__proto__":{"sid":"x"}}')}.${signature}`)

    expect(jws?.payload['sid']).to.equal(undefined)
    expect(({} as Record<string, unknown>)['sid']).to.equal(undefined)
  })
})

/** What JSON makes of it, such as 0 of -0. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** The same bytes to a lenient decoder: the last letter carries bits that are not used. */
function nonCanonical(encoded: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(encoded.at(-1) ?? '')
  const odd = encoded.slice(0, -1) + (alphabet[last + 1] ?? '')
  if (!Buffer.from(odd, 'base64url').equals(Buffer.from(encoded, 'base64url')))
    throw new Error('not the same bytes')
  return odd
}
