// What of the environment a child gets to see: enough to run, none of the service's secrets.

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot']

/** The environment for Postgres, Redis and their tools; `C` because a foreign or missing locale stops either. */
export function childEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
  return { ...(Object.fromEntries(passed) as NodeJS.ProcessEnv), LC_ALL: 'C' }
}
