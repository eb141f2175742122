// Sessions of one user that end, in SQL: a batch of them, so that no statement takes long however many there are.
import type { LogEntry } from '../../auth/ports/log.ts'
import type { EndedBatch } from '../../auth/ports/session-ends.ts'
import type { Sessions } from '../../auth/ports/sessions.ts'
import { DENIAL, denialsOf, endingSteps, WITHIN_LEEWAY, type JoinedDenial } from './end-sessions.ts'
import { entryValues, insertEntry, type LogEntries, type LoggedStatement } from './log-entries.ts'
import type { Postgres, Statement } from './postgres.ts'

/** A transaction of some ten milliseconds: the relay's watermark waits for it, and so does who wants one of its rows. */
export const BATCH_SESSIONS = 500

/** Columns that tell of the whole batch stand beside each denial, and alone where there is none. */
export interface BatchRow extends JoinedDenial {
  /** Whether the asking session was on when the batch began. */
  isAskingOn: boolean
  isLast: boolean
}

const isOpen = `ended_at IS NULL AND expires_at ${WITHIN_LEEWAY}`

const openOthers = (userId: string, except: string) => `
  SELECT id FROM user_sessions WHERE user_id = ${userId} AND ${isOpen} AND id IS DISTINCT FROM ${except}
  ORDER BY id LIMIT ${BATCH_SESSIONS}`

// Picked first and then locked, of the rest in the order of their ids: of two that pick the same ones, the one that waits
// finds them over. So it is by what was picked that a batch knows whether there may be more.
const endBatch = (picking: string, picked: string, ending: { entry: string; source?: string }) => `
  WITH ${picking}, ${endingSteps(`id = ANY (ARRAY(${picked}))`, ending.entry, ending.source)}
  SELECT batch.*, ${DENIAL}
  FROM (
    SELECT EXISTS (SELECT 1 FROM asking) AS "isAskingOn",
           (SELECT count(*) FROM others) < ${BATCH_SESSIONS} AS "isLast"
  ) AS batch LEFT JOIN journal ON true`

const ASKING =
  'asking AS (SELECT id, user_id, expires_at FROM user_sessions WHERE id = $3 AND ended_at IS NULL)'
const OTHERS = `others AS (${openOthers('(SELECT user_id FROM asking)', '$3::uuid')})`

/** `$4`: when the token at hand expires, which may be later than the row of `$3` knows after a lost rotation. */
const AS_FAR_AS_KNOWN = (id: string) =>
  `greatest(expires_at, CASE WHEN ${id} = $3 THEN to_timestamp($4::float8) END)`

interface ManyEnds {
  name: string
  text: (entry: string) => string
  /** Yields the user and the session that the entry tells of. */
  told: string
  /** The first parameter that is left to the entry. */
  first: number
}

function endMany({ name, text, told, first }: ManyEnds): LoggedStatement {
  return {
    withEntry: { name, text: text(`, entry AS (${insertEntry(`(${told}) AS told`, first)})`) },
    withoutEntry: { name: `${name}.unlogged`, text: text('') },
  }
}

/** `$3`: the asking session, which ends with the last batch. */
const END_ALL = endMany({
  name: 'sessions.endAll',
  text: (entry) =>
    endBatch(
      `${ASKING}, ${OTHERS}`,
      `SELECT id FROM others
       UNION ALL
       SELECT id FROM asking
       WHERE (SELECT count(*) FROM others) < ${BATCH_SESSIONS} AND ${AS_FAR_AS_KNOWN('id')} ${WITHIN_LEEWAY}`,
      {
        entry,
        source: `SELECT session_id, user_id, ${AS_FAR_AS_KNOWN('session_id')} AS expires_at FROM ended`,
      },
    ),
  told: 'SELECT user_id, session_id FROM ended WHERE session_id = $3',
  first: 5,
})

/** `$3`: the asking session, which goes on. */
const END_OTHERS = endMany({
  name: 'sessions.endOthers',
  text: (entry) => endBatch(`${ASKING}, ${OTHERS}`, 'SELECT id FROM others', { entry }),
  told: 'SELECT user_id, $3::uuid AS session_id FROM ended LIMIT 1',
  first: 4,
})

/** `$3`: the user; `$4`: the session that goes on, or NULL. */
export const END_OF_USER: Statement = {
  name: 'sessions.endOfUser',
  text: endBatch(
    `asking AS (SELECT 1 WHERE false), others AS (${openOthers('$3::uuid', '$4::uuid')})`,
    'SELECT id FROM others',
    { entry: '' },
  ),
}

export interface EndingManyDeps {
  postgres: Postgres
  logEntries: LogEntries
  leewaySeconds: number
}

export function endingMany({
  postgres,
  logEntries,
  leewaySeconds,
}: EndingManyDeps): Pick<Sessions, 'endAll' | 'endOthers' | 'endOfUser'> {
  return {
    endAll: async ({ id, expiresAt }, entry) => {
      const values = ['logout_all', leewaySeconds, id, expiresAt]
      const batch = await endLogged(END_ALL, values, {
        entry,
        isTold: ({ denials }) => denials.some((denial) => denial.id === id),
      })
      // Of racing callers one wins; the others find nothing left.
      const isOver = !batch.isAskingOn || (batch.isLast && batch.denials.length === 0)
      return isOver ? null : batch
    },

    endOthers: async (sessionId, entry) => {
      const values = ['logout_all', leewaySeconds, sessionId]
      const batch = await endLogged(END_OTHERS, values, {
        entry,
        isTold: ({ denials }) => denials.length > 0,
      })
      return batch.isAskingOn ? batch : null
    },

    endOfUser: async ({ userId, reason, keepSessionId = null }) => {
      const values = [reason, leewaySeconds, userId, keepSessionId]
      return endedBatch(await postgres.query<BatchRow>(END_OF_USER, values))
    },
  }

  async function endLogged(
    statement: LoggedStatement,
    values: unknown[],
    { entry, isTold }: { entry: LogEntry; isTold: (batch: EndedBatch) => boolean },
  ): Promise<EndedBatch & Pick<BatchRow, 'isAskingOn'>> {
    return await logEntries.despite({
      work: async (isLogged) => {
        const rows = isLogged
          ? await postgres.query<BatchRow>(statement.withEntry, [...values, ...entryValues(entry)])
          : await postgres.query<BatchRow>(statement.withoutEntry, values)
        return { ...endedBatch(rows), isAskingOn: rows.some(({ isAskingOn }) => isAskingOn) }
      },
      tell: (batch) => (isTold(batch) ? entry : null),
    })
  }
}

/** Of what one of these statements answered. */
export function endedBatch(rows: readonly BatchRow[]): EndedBatch {
  return { denials: denialsOf(rows), isLast: rows.every(({ isLast }) => isLast) }
}
