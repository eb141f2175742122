// The Denylist port where there is no Redis: what this instance does not hold itself, the journal is asked for.
import type { Denylist } from '../auth/ports/denials.ts'
import { tokenId } from '../contract/denylist-keys.ts'

export function absentDenylist(isHeld: (id: string) => boolean): Denylist {
  return {
    check: ({ sid, jti }) => Promise.resolve(isHeld(sid) || isHeld(tokenId(sid, jti)) ? 'denied' : 'unknown'),
    deny: () => Promise.resolve(),
    tell: () => Promise.resolve(),
  }
}
