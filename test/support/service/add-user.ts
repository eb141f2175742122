// A user in the database of a test, with the password that all of them have.
import { v7 as uuidv7 } from 'uuid'
import { usernameKey } from '../../../src/auth/accounts/username-key.ts'
import { passwordHash } from './password-hash.ts'
import type { TestDatabase } from '../servers/postgres.ts'

export const PASSWORD = 'correct horse battery staple'

export async function addUser(database: TestDatabase, username: string, password = PASSWORD): Promise<void> {
  const id = uuidv7()
  await database.sql(
    `INSERT INTO users (id, username, username_key, password_hash, role) VALUES ($1, $2, $3, $4, 'user')`,
    [id, username, usernameKey(username), passwordHash(password)],
  )
  await database.sql(
    `INSERT INTO logs (id, event_type, ip_address, user_id) VALUES ($1, 'USER_ADDED', 'local', $2)`,
    [uuidv7(), id],
  )
}
