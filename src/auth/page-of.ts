// A page of what a user has, cut out of what a store found.

export interface Page<T> {
  /** Newest first. */
  found: T[]
  /** The `before` of the next page; `null` where this is the last one. */
  next: string | null
}

export interface PageQuery {
  userId: string
  /** The id of the last one of the page before. `null`: from the newest on. */
  before: string | null
  limit: number
}

/** Rejects with what `find` rejects with. */
export async function pageOf<T extends { id: string }>(
  query: PageQuery,
  find: (query: PageQuery) => Promise<T[]>,
): Promise<Page<T>> {
  // One more than asked for tells whether there is a next page.
  const all = await find({ ...query, limit: query.limit + 1 })
  const found = all.slice(0, query.limit)
  return { found, next: all.length > query.limit ? (found.at(-1)?.id ?? null) : null }
}
