// The settings of one member, as Patroni reads them.

export interface Login {
  username: string
  password: string
}

/** In the words of Patroni's settings. */
export interface PostgresAccess {
  superuser: Login
  replication: Login
}

export interface MemberSettings {
  name: string
  home: string
  etcdPort: number
  restPort: number
  postgresPort: number
  /** At which the other members reach this one's Postgres. */
  replicationPort: number
  postgresFolder: string
  access: PostgresAccess
  isSynchronous: boolean
}

/** The shortest that Patroni's documents allow. */
const LEADER_TTL_SECONDS = 20
/** No replica is too far behind to take over: what it lacks is lost, which is what is to be seen. */
const ANY_LAG_BYTES = 2 ** 40

/** JSON, which is YAML too. */
export function memberSettings(settings: MemberSettings): string {
  const { name, home, etcdPort, restPort, postgresPort, replicationPort, access } = settings
  const restAddress = `127.0.0.1:${restPort}`
  return JSON.stringify({
    scope: 'signoff',
    name,
    restapi: { listen: restAddress, connect_address: restAddress },
    etcd3: { host: `127.0.0.1:${etcdPort}` },
    bootstrap: {
      dcs: {
        ttl: LEADER_TTL_SECONDS,
        loop_wait: 1,
        retry_timeout: 3,
        maximum_lag_on_failover: ANY_LAG_BYTES,
        synchronous_mode: settings.isSynchronous,
        postgresql: { use_pg_rewind: true, parameters: { max_connections: 200 } },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'data-checksums'],
      pg_hba: [
        'host all all 127.0.0.1/32 scram-sha-256',
        `host replication ${access.replication.username} 127.0.0.1/32 scram-sha-256`,
      ],
    },
    postgresql: {
      listen: `127.0.0.1:${postgresPort}`,
      connect_address: `127.0.0.1:${replicationPort}`,
      data_dir: `${home}/data`,
      bin_dir: settings.postgresFolder,
      pgpass: `${home}/pgpass`,
      basebackup: [{ checkpoint: 'fast' }],
      authentication: access,
      parameters: { unix_socket_directories: '', log_checkpoints: 'off', wal_retrieve_retry_interval: '1s' },
    },
  })
}
