// The import rule: who may know whom. The rules of auth know nobody but the contract; http and store never meet.
const only = (folder, ...allowed) => ({
  name: `${folder}-knows-only-${allowed.join('-') || 'nobody'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  // The clock is handed in everywhere.
  to: {
    path: '^src/',
    pathNot: [`^src/${folder}/`, '^src/clock\\.ts$', ...allowed.map((name) => `^src/${name}`)],
  },
})

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: { pathNot: '^test/simulation/' }, to: { circular: true } },
    {
      // The parts of a simulated world name each other's types.
      name: 'no-circles-at-run-time',
      severity: 'error',
      from: { path: '^test/simulation/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: 'argon2-worker|knexfile|\\.test\\.ts$' },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-tests-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^test/' } },
    only('contract'),
    only('auth', 'contract/'),
    {
      name: 'auth-does-no-io',
      severity: 'error',
      from: { path: '^src/(auth|contract)/' },
      to: { pathNot: ['^src/', 'node_modules/(uuid|ipaddr\\.js)/'] },
    },
    only('remote'),
    only('peer', 'contract/', 'remote/'),
    {
      name: 'peers-get-few-packages',
      severity: 'error',
      from: { path: '^src/(peer|remote)/' },
      to: { pathNot: ['^src/', 'node_modules/(jose|quick-lru|eventsource-parser)/'] },
    },
    only('tokens', 'auth/', 'contract/', 'remote/', 'file-trust\\.ts'),
    only('passwords', 'auth/', 'ops/'),
    only('store', 'auth/', 'contract/', 'ops/'),
    only('store/postgres', 'auth/', 'contract/', 'ops/'),
    only('store/redis', 'auth/', 'contract/', 'ops/'),
    only('http', 'auth/', 'contract/', 'ops/', 'clock\\.ts', 'file-trust\\.ts'),
    only('ops'),
    only('embedded', 'file-trust\\.ts'),
    only('embedded/postgres', 'embedded/(process|files)/', 'embedded/server', 'file-trust\\.ts'),
    only('embedded/redis', 'embedded/(process|files)/', 'embedded/server', 'file-trust\\.ts'),
    only('embedded/(process|files)', 'embedded/(process|files)/', 'embedded/server'),
    {
      name: 'only-commands-and-main-know-the-app',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(app|main|config)\\.ts$|^src/(commands|settings)/' },
      to: { path: '^src/(app|main|config)\\.ts$|^src/(commands|settings)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}
