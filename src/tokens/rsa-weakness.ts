// Looks for the known weaknesses of an RSA public key: once a key, before anything is verified with it.

/** As a JSON Web Key has them (RFC 7518 section 6.3.1). */
export interface RsaPublicKey {
  n?: unknown
  e?: unknown
}

const MIN_BITS = 2048
/** OpenSSL uses none that is longer. */
const MAX_BITS = 16_384
/** NIST SP 800-56B revision 2, section 6.2: odd, and between 2^16 and 2^256. With 1 everybody could sign. */
const MIN_EXPONENT = 65_537n
const MAX_EXPONENT_BYTES = 32
/** NIST SP 800-89, section 5.3.3: no factor below 752. */
const SMALL_PRIMES = primesBelow(752)
/** The keys of at least 1984 bits which that library made are powers of 65537 modulo each of the first 126 primes. */
const ROCA_GROUPS = SMALL_PRIMES.slice(0, 126).map((prime) => ({ prime, group: powersOf(65_537n, prime) }))
/** As many as the CA/Browser Forum asks for. */
const FERMAT_ROUNDS = 100
/** Most numbers that are no squares are none modulo one of these. */
const SQUARES = [64n, 63n, 65n, 11n].map((modulus) => ({ modulus, group: squaresModulo(modulus) }))

/** One sentence for an operator, which says what is expected, or what is wrong; `null` where nothing is known. */
export function problemOfRsaKey({ n, e }: RsaPublicKey): string | null {
  const [modulus, exponent] = [bytesOf(n), bytesOf(e)]
  if (!modulus || !exponent) return 'an RSA key with n and e is expected'
  if (bitsOf(modulus) > MAX_BITS) return `an RSA key of at most ${MAX_BITS} bits is expected`
  if (bitsOf(modulus) < MIN_BITS) return `an RSA key of at least ${MIN_BITS} bits is expected`
  if (!isFitExponent(exponent)) return 'an RSA key whose e is odd and at least 65537 is expected'
  return problemOfModulus(numberOf(modulus))
}

function isFitExponent(bytes: Buffer): boolean {
  if (bytes.length > MAX_EXPONENT_BYTES) return false
  const exponent = numberOf(bytes)
  return exponent >= MIN_EXPONENT && exponent % 2n === 1n
}

function problemOfModulus(n: bigint): string | null {
  if (SMALL_PRIMES.some((prime) => n % prime === 0n))
    return 'the RSA key can be broken: its n has a small factor'
  if (ROCA_GROUPS.every(({ prime, group }) => group.has(n % prime))) {
    return 'the RSA key can be broken: it was made by a library that makes weak ones (ROCA, CVE-2017-15361)'
  }
  return areFactorsClose(n) ? 'the RSA key can be broken: the factors of its n are close together' : null
}

/** Fermat's method: n is the difference of two squares, of which the larger is near to n itself. */
function areFactorsClose(n: bigint): boolean {
  let a = squareRoot(n)
  if (a * a < n) a += 1n
  for (let round = 0; round < FERMAT_ROUNDS; round += 1, a += 1n) {
    if (isSquare(a * a - n)) return true
  }
  return false
}

function isSquare(value: bigint): boolean {
  if (!SQUARES.every(({ modulus, group }) => group.has(value % modulus))) return false
  const root = squareRoot(value)
  return root * root === value
}

/** Rounded down (Newton's method, from above). */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil((value.toString(16).length * 4) / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** Without zeros in front; `null` for what is no base64url of a number. */
function bytesOf(text: unknown): Buffer | null {
  if (typeof text !== 'string' || !/^[\w-]+$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? null : bytes.subarray(first)
}

function bitsOf(bytes: Buffer): number {
  return bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function primesBelow(end: number): bigint[] {
  const primes: number[] = []
  for (let candidate = 2; candidate < end; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return primes.map(BigInt)
}

function powersOf(base: bigint, modulus: bigint): Set<bigint> {
  const powers = new Set<bigint>()
  for (let power = 1n % modulus; !powers.has(power); power = (power * base) % modulus) powers.add(power)
  return powers
}

function squaresModulo(modulus: bigint): Set<bigint> {
  return new Set(Array.from({ length: Number(modulus) }, (_, root) => BigInt(root * root) % modulus))
}
