// Settings that hold a secret may come as files, as Docker and Kubernetes mount them.
import { readTrustedFile } from '../file-trust.ts'

/** `DATABASE_URL_FILE` names the file that has `DATABASE_URL`, and so on. */
export const SECRETS = ['DATABASE_URL', 'REDIS_URL', 'SECRET_KEY'] as const

export interface GivenSettings {
  given: NodeJS.ProcessEnv
  /** One line for each file that cannot be used. */
  problems: string[]
}

/** `env` with the secrets that it names files of. */
export function withSecrets(env: NodeJS.ProcessEnv): GivenSettings {
  const given = { ...env }
  const problems: string[] = []
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`]
    if (path === undefined) continue
    if (given[name] !== undefined) problems.push(`${name} and ${name}_FILE: set one of them`)
    else given[name] = secretIn(path, (problem) => problems.push(`${name}_FILE: ${problem}`))
  }
  return { given, problems }
}

/** Without the line end that editors leave. */
function secretIn(path: string, onProblem: (problem: string) => void): string | undefined {
  try {
    const secret = readTrustedFile(path).replace(/\r?\n$/, '')
    if (secret !== '') return secret
    onProblem(`${path} is empty`)
  } catch (error) {
    onProblem((error as Error).message)
  }
  return undefined
}
