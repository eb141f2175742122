// Reads of Postgres's own health: whether it is the one to write to, and whether it may lose what it has committed.

/** Whether what a server answers can be out of date, and what it is told can be refused. */
export interface ServerRole {
  isInRecovery: boolean
  isReadOnly: boolean
}

/** A commit that it has acknowledged stands on these. */
export interface Durability {
  fsync: string
  fullPageWrites: string
  /** As it is in effect for the connection that was asked. */
  synchronousCommit: string
}

/** The columns of a `ServerRole`. */
export const ROLE = `
  pg_is_in_recovery() AS "isInRecovery", current_setting('transaction_read_only') = 'on' AS "isReadOnly"`

/** The columns of a `Durability`. An ordinary role may read them. */
export const DURABILITY = `
  current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites",
  current_setting('synchronous_commit') AS "synchronousCommit"`

/** The values of `synchronous_commit` by which a commit is acknowledged before it is on every disk that it should be on. */
const WEAK_COMMITS = ['off', 'local', 'remote_write']

/**
 * Asked of each new connection: yields the server's role, and makes its commits durable where a default of
 * the server, the database or the role has made them weaker; `remote_apply` is more than `on`, and stays.
 */
export const CHECK_CONNECTION = `
  SELECT ${ROLE}, CASE WHEN current_setting('synchronous_commit') IN (${WEAK_COMMITS.map((value) => `'${value}'`).join(', ')})
                  THEN set_config('synchronous_commit', 'on', false) END`

/** A Postgres that answers and is not the one to ask. */
export class NotPrimaryError extends Error {
  override readonly name = 'NotPrimaryError'
}

export const TAKES_NO_WRITES =
  'Postgres takes no writes (transaction_read_only is on): DATABASE_URL must lead to the primary'

/** Throws `NotPrimaryError` where this one is not the one to ask; `undefined` is an answer without a row. */
export function assertPrimary(role: ServerRole | undefined): void {
  if (!role) throw new NotPrimaryError('Postgres did not tell whether it is the primary')
  if (role.isInRecovery) {
    throw new NotPrimaryError('Postgres is a standby (in recovery): DATABASE_URL must lead to the primary')
  }
  if (role.isReadOnly) throw new NotPrimaryError(TAKES_NO_WRITES)
}

/** Why no logout can stand on it, as one sentence that says what to do; `null` when it can. */
export function unfitness({ fsync, fullPageWrites, synchronousCommit }: Durability): string | null {
  const wrong = [
    ...(fsync === 'on' ? [] : [`fsync to on (it is ${fsync})`]),
    ...(fullPageWrites === 'on' ? [] : [`full_page_writes to on (it is ${fullPageWrites})`]),
    ...(WEAK_COMMITS.includes(synchronousCommit)
      ? [`synchronous_commit to on (it is ${synchronousCommit})`]
      : []),
  ]
  if (wrong.length === 0) return null
  return `Postgres may lose what it has committed, which undoes logouts: set ${wrong.join(' and ')}`
}
