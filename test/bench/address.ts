// The addresses that requests of the benchmarks come from: one each, so that they are not taken for guessing.
import { randomInt } from 'node:crypto'

/** With `TRUST_PROXY=loopback`, makes the request one from anywhere in 10.0.0.0/8. */
export function fromAnywhere(): { 'X-Forwarded-For': string } {
  return { 'X-Forwarded-For': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` }
}
