// The fakes, held to the suites that the real stores are held to.
import { auditLogConformance } from '../conformance/audit-log.ts'
import { denylistConformance } from '../conformance/denylist.ts'
import { journalConformance } from '../conformance/journal.ts'
import { lateReplayConformance } from '../conformance/late-replay.ts'
import { ownAccountConformance } from '../conformance/own-account.ts'
import { passwordsConformance } from '../conformance/passwords.ts'
import { peersConformance } from '../conformance/peers.ts'
import { sessionEndsConformance } from '../conformance/session-ends.ts'
import { sessionRotationConformance } from '../conformance/session-rotation.ts'
import { sessionsConformance } from '../conformance/sessions.ts'
import { userAdminConformance } from '../conformance/user-admin.ts'
import { usersConformance } from '../conformance/users.ts'
import {
  fastPasswordsSubject,
  memoryDenylistSubject,
  memoryStoreSubject,
} from '../support/fakes/memory-store-subject.ts'

sessionsConformance('memorySessions', memoryStoreSubject)
sessionEndsConformance('memorySessions', memoryStoreSubject)
sessionRotationConformance('memorySessions', memoryStoreSubject)
lateReplayConformance('memorySessions', memoryStoreSubject)
journalConformance('memoryJournal', memoryStoreSubject)
usersConformance('memoryUsers', memoryStoreSubject)
userAdminConformance('memoryUserAdmin', memoryStoreSubject)
ownAccountConformance('memoryOwnAccount', memoryStoreSubject)
peersConformance('memoryPeers', memoryStoreSubject)
auditLogConformance('memoryAuditLog', memoryStoreSubject)
denylistConformance('memoryDenylist', memoryDenylistSubject)
passwordsConformance('fastPasswords', fastPasswordsSubject)
