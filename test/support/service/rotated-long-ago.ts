// The end of a rotation's grace, without waiting for it.
import { claimsOf } from './environment.ts'

export interface Asked {
  sql: (text: string, values: unknown[]) => Promise<unknown>
}

/**
 * As though the session of this refresh token had last rotated a day ago, by the clock that tells the grace. The time
 * at which the successor says that it was issued stays: it is part of that token.
 */
export async function rotatedLongAgo({ sql }: Asked, refreshToken: string): Promise<void> {
  await sql(`UPDATE user_sessions SET last_seen_at = last_seen_at - interval '1 day' WHERE id = $1`, [
    claimsOf(refreshToken)['sid'],
  ])
}
