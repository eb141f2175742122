// Picks the part of the environment that a child gets to see: enough to run, none of the service's secrets.

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot']

/** Of this, apt is told in either case. */
const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy']
const FOR_DOWNLOADS = [
  ...PASSED_ON,
  ...PROXIES,
  ...PROXIES.map((name) => name.toUpperCase()),
  'APT_CONFIG',
  'DEBIAN_FRONTEND',
  'LANG',
]

/** The environment for Postgres, Redis and their tools; `C` because a foreign or missing locale stops either. */
export function childEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...only(PASSED_ON, env), LC_ALL: 'C' }
}

/** The environment for what fetches packages, which has to know of proxies. */
export function downloadEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...only(FOR_DOWNLOADS, env), LC_ALL: 'C' }
}

function only(names: readonly string[], env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
