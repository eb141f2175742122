// What every part of the benchmark works with.
import { readFile } from 'node:fs/promises'
import type { TestEnvironment } from '../support/service/environment.ts'
import type { Target } from './generator-protocol.ts'
import type { Options } from './options.ts'
import type { Population } from './population.ts'

export interface Bench {
  environment: TestEnvironment
  population: Population
  options: Options
  /** Tells whoever waits what is being measured. */
  say: (line: string) => void
}

export async function targetOf({ signoff }: TestEnvironment, connections: number): Promise<Target> {
  return { origin: signoff.url, certificate: await readFile(signoff.files.certFile, 'utf8'), connections }
}
