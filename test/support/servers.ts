// Loaded before every run: stops what the suites shared.
import { stopPostgres } from './postgres.ts'

export const mochaHooks = {
  afterAll: stopPostgres,
}
