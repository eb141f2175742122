// The stores over a real Postgres and a real Redis, held to what their ports promise.
import { auditLogConformance } from '../../conformance/audit-log.ts'
import { denylistConformance } from '../../conformance/denylist.ts'
import { journalConformance } from '../../conformance/journal.ts'
import { lateReplayConformance } from '../../conformance/late-replay.ts'
import { ownAccountConformance } from '../../conformance/own-account.ts'
import { peersConformance } from '../../conformance/peers.ts'
import { sessionEndsConformance } from '../../conformance/session-ends.ts'
import { sessionRotationConformance } from '../../conformance/session-rotation.ts'
import { sessionsConformance } from '../../conformance/sessions.ts'
import { userAdminConformance } from '../../conformance/user-admin.ts'
import { usersConformance } from '../../conformance/users.ts'
import { emptiedStoreSubject } from '../../support/stores/postgres-store-subject.ts'
import { redisDenylistSubject } from '../../support/stores/redis-denylist-subject.ts'

sessionsConformance('postgresSessions', emptiedStoreSubject)
sessionEndsConformance('postgresSessions', emptiedStoreSubject)
sessionRotationConformance('postgresSessions', emptiedStoreSubject)
lateReplayConformance('postgresSessions', emptiedStoreSubject)
journalConformance('postgresJournal', emptiedStoreSubject)
usersConformance('postgresUsers', emptiedStoreSubject)
userAdminConformance('postgresUserAdmin', emptiedStoreSubject)
ownAccountConformance('postgresOwnAccount', emptiedStoreSubject)
peersConformance('postgresPeers', emptiedStoreSubject)
auditLogConformance('postgresAuditLog', emptiedStoreSubject)
denylistConformance('redisDenylist', redisDenylistSubject)
