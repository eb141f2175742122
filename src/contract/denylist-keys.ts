// The Redis keys of the denylist: what the service writes and every peer reads.

/**
 * These can be denied, as one text: a session (`<sid>`), one token of it (`<sid>:<jti>`),
 * or a foreign token (SHA-256, hex).
 */
export type DeniedId = string

/** Milliseconds since 1970 by the clock of the journal's database, which everybody goes by. */
export type JournalTime = number

/**
 * The partition of a denied id: the last two hex digits of its first part. All keys of one check
 * share a partition, so that in Redis Cluster one check is one slot (the braces are a hash tag).
 */
export function partitionOf(id: DeniedId): string {
  const end = id.indexOf(':')
  return end === -1 ? id.slice(-2) : id.slice(Math.max(0, end - 2), end)
}

export function tokenId(sid: string, jti: string): DeniedId {
  return `${sid}:${jti}`
}

/** Present while `id` is denied and a token it covers could still be alive. */
export function denialKey(id: DeniedId): string {
  return `denylist:{${partitionOf(id)}}:${id}`
}

/** Holds up to when (epoch milliseconds) a partition is known to agree with the journal; absent: cannot tell. */
export function watermarkKey(partition: string): string {
  return `denylist:{${partition}}:synced`
}

/** Every partition, `00` to `ff`. */
export const PARTITIONS: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
)
