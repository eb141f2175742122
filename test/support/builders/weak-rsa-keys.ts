// RSA public keys that anybody can break, and those that break nothing; as JSON Web Keys.
import { checkPrimeSync, generateKeyPairSync, generatePrimeSync, randomBytes } from 'node:crypto'

export interface RsaJwk {
  kty: 'RSA'
  n: string
  e: string
}

const GOOD_EXPONENT = 65_537n

export function rsaJwk(n: bigint, e: bigint = GOOD_EXPONENT): RsaJwk {
  return { kty: 'RSA', n: base64url(n), e: base64url(e) }
}

/** A modulus against which nothing is known. */
export function goodModulus(modulusLength = 2048): bigint {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' })
  return BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
}

/** Of two primes that follow each other closely. */
export function closePrimesModulus(): bigint {
  const p = generatePrimeSync(1024, { bigint: true })
  return p * nextPrime(p + 2n)
}

export function smallFactorModulus(factor = 751n): bigint {
  return factor * generatePrimeSync(2048, { bigint: true })
}

/** As the library of CVE-2017-15361 makes them: each prime is k * M plus a power of 65537 modulo M. */
export function rocaModulus(): bigint {
  return rocaPrime() * rocaPrime()
}

/** The product of the first 126 primes has 971 bits. */
const M = firstPrimes(126).reduce((product, prime) => product * prime, 1n)

function rocaPrime(): bigint {
  for (;;) {
    // So large that the product of two has 2048 bits.
    const k = numberOf(randomBytes(6)) | (3n << 53n)
    const candidate = k * M + powerModulo(GOOD_EXPONENT, numberOf(randomBytes(16)), M)
    if (checkPrimeSync(candidate)) return candidate
  }
}

function nextPrime(from: bigint): bigint {
  let candidate = from
  while (!checkPrimeSync(candidate)) candidate += 2n
  return candidate
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = []
  for (let candidate = 2n; primes.length < count; candidate += 1n) {
    if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate)
  }
  return primes
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function base64url(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}
