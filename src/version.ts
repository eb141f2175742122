// The version of this package, as npm knows it.
import { createRequire } from 'node:module'

export const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
