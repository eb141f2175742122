// The text that `signoff start` prints when it is up: where it is, and lines to paste.
import type { DemoUser } from './demo-user.ts'

export interface WalkthroughInput {
  url: string
  /** The certificate that curl should trust; `null` for plain HTTP. */
  certFile: string | null
  demo: DemoUser | null
}

export function walkthrough({ url, certFile, demo }: WalkthroughInput): string {
  const curl = `curl -sS -w ' %{http_code}\\n'${certFile ? ` --cacert ${quote(certFile)}` : ''}`
  const up = `\nSignoff is up at ${url} (Ctrl-C stops it)\n`
  if (!demo) return up

  return `${up}
Paste into another terminal, line by line:

  # log in: a pair of tokens
  PAIR=$(${curl} -d username=${demo.username} --data-urlencode password@${quote(demo.passwordFile)} ${url}/auth/login/); echo "$PAIR"
  REFRESH=$(echo "$PAIR" | sed 's/.*"refresh":"\\([^"]*\\)".*/\\1/')
  # refresh: a new access token
  ${curl} -d refresh=$REFRESH ${url}/auth/token/refresh/
  # log out
  ${curl} -d refresh_token=$REFRESH ${url}/auth/logout/
  # and see that it holds
  ${curl} -d refresh=$REFRESH ${url}/auth/token/refresh/
  ${curl} -d refresh_token=$REFRESH ${url}/auth/logout/
`
}

function quote(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}
