// The fakes, held to the suites that the real stores are held to.
import { auditLogConformance } from '../conformance/audit-log.ts'
import { denylistConformance } from '../conformance/denylist.ts'
import { journalConformance } from '../conformance/journal.ts'
import { passwordsConformance } from '../conformance/passwords.ts'
import { sessionsConformance } from '../conformance/sessions.ts'
import { userAdminConformance } from '../conformance/user-admin.ts'
import { usersConformance } from '../conformance/users.ts'
import {
  fastPasswordsSubject,
  memoryDenylistSubject,
  memoryStoreSubject,
} from '../support/fakes/memory-store-subject.ts'

sessionsConformance('memorySessions', memoryStoreSubject)
journalConformance('memoryJournal', memoryStoreSubject)
usersConformance('memoryUsers', memoryStoreSubject)
userAdminConformance('memoryUserAdmin', memoryStoreSubject)
auditLogConformance('memoryAuditLog', memoryStoreSubject)
denylistConformance('memoryDenylist', memoryDenylistSubject)
passwordsConformance('fastPasswords', fastPasswordsSubject)
