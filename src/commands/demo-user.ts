// The user that `signoff start` makes in an empty database, so that there is somebody to log in as.
import { randomBytes } from 'node:crypto'
import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addUser } from '../auth/users.ts'
import type { Config } from '../config.ts'
import { withUsers } from './user.ts'

export interface DemoUser {
  username: string
  /** Holds the password and nothing else, no line end either, so that curl can send it as it is. */
  passwordFile: string
}

/** `null` where the database has users of its own, and none of them was made here. */
export async function demoUser(
  config: Config,
  { dataDir, databaseUrl }: { dataDir: string; databaseUrl: string },
): Promise<DemoUser | null> {
  const demo = { username: 'demo', passwordFile: join(dataDir, 'demo-password') }
  return await withUsers({ databaseUrl, leewaySeconds: config.LEEWAY }, async (deps) => {
    const users = await deps.userAdmin.list()
    if (users.length === 0) {
      const password = randomBytes(18).toString('base64url')
      await writeFile(demo.passwordFile, password, { mode: 0o600 })
      await addUser(deps, { username: demo.username, password, role: 'user' })
      return demo
    }
    const isOurs =
      users.some(({ username, isActive }) => username === demo.username && isActive) &&
      (await exists(demo.passwordFile))
    return isOurs ? demo : null
  })
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
