// The proofs that stand in Redis, position and watermark: what each says, and of what it says it.
import { createHash } from 'node:crypto'
import type { JournalTime } from '../../contract/denylist-keys.ts'

/** A partition holds every live denial that this journal had up to a time, says the instance that wrote this. */
export interface Watermark {
  relayedUpTo: JournalTime
  /** Of which journal that is said; see `journalNameOf`. */
  journalName: string
  /** The instance that says it. */
  instanceId: string
}

/**
 * How far the relay has brought a partition. It is the fencing token of the next step, which compares it with what
 * stands there: no two steps, of whatever process, lead to the same one.
 */
export interface Position extends Watermark {
  /** The run of the Postgres server that the journal was read from. */
  serverEpoch: string
  /** By how much the clock of the partition's Redis was ahead of the journal's. */
  redisOffsetMs: number
  token: string
  /** Whether the watermark beside it was set by the word of all instances, since the journal could not be read. */
  isByAcks: boolean
}

const BY_ACKS = 'by-acks'

/**
 * The journal of one database under one issuer. A copy of the database has the same name: the instances that each
 * of them lists tell these apart.
 */
export function journalNameOf(databaseId: string, issuer: string): string {
  return createHash('sha256').update(`${databaseId}\n${issuer}`).digest('hex').slice(0, 16)
}

export function watermarkText({ relayedUpTo, journalName, instanceId }: Watermark): string {
  return `${relayedUpTo} ${journalName} ${instanceId}`
}

export function positionText(position: Position): string {
  const { relayedUpTo, journalName, serverEpoch, instanceId, redisOffsetMs, token, isByAcks } = position
  const fields = [relayedUpTo, journalName, serverEpoch, instanceId, redisOffsetMs, token]
  return `${fields.join(' ')}${isByAcks ? ` ${BY_ACKS}` : ''}`
}

/** `null` for a text that is no watermark of this kind. */
export function parseWatermark(text: string | null): Watermark | null {
  if (text === null) return null
  const [relayedUpTo = '', journalName = '', instanceId = '', ...others] = text.split(' ')
  if (!/^\d+$/.test(relayedUpTo) || instanceId === '' || others.length > 0) return null
  return { relayedUpTo: Number(relayedUpTo), journalName, instanceId }
}

/** `null` for a text that is no position of this kind. */
export function parsePosition(text: string | null): Position | null {
  if (text === null) return null
  const [
    relayedUpTo = '',
    journalName = '',
    serverEpoch = '',
    instanceId = '',
    offset = '',
    token = '',
    mark,
  ] = text.split(' ')
  if (!/^\d+$/.test(relayedUpTo) || !/^-?\d+$/.test(offset) || token === '') return null
  return {
    relayedUpTo: Number(relayedUpTo),
    journalName,
    serverEpoch,
    instanceId,
    redisOffsetMs: Number(offset),
    token,
    isByAcks: mark === BY_ACKS,
  }
}
