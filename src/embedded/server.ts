// An embedded server looks like this to the service that started it, whichever server it is.

/** Where embedded data lives, the environment programs are looked up in, and who hears of progress. */
export interface EmbeddedOptions {
  dataDir: string
  env: NodeJS.ProcessEnv
  /** Takes one line of progress for a person; never a secret. */
  say: (line: string) => void
  /** Ends what takes long, such as a download. */
  signal?: AbortSignal
}

/** A server this process started and must stop. */
export interface EmbeddedServer {
  /** How to connect, password included: not for logs. */
  url: string
  pid: number
  /** Resolves once the process is gone; safe to call again. */
  stop(): Promise<void>
  /** Calls back once if the server ends without `stop()`, at once if it already has. */
  onExit(handler: (reason: string) => void): void
}

/** The embedded server that runs in `server`, and is reached under `url`. */
export function servingAt(url: string, server: Omit<EmbeddedServer, 'url'>): EmbeddedServer {
  return {
    url,
    pid: server.pid,
    stop: () => server.stop(),
    onExit: (handler) => {
      server.onExit(handler)
    },
  }
}
