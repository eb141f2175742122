// nginx of Debian's packages before a service, as a reverse proxy that keeps its connections to the service.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { debianProgram, type Program } from './debian-packages.ts'
import { eventually } from '../service/environment.ts'
import type { Signoff } from '../service/signoff.ts'

export interface TestNginx {
  /** Plain HTTP. */
  url: string
  stop(): Promise<void>
}

/** The machine's own, or an unpacked one. */
export async function nginxProgram(): Promise<Program> {
  return await debianProgram({
    folder: 'nginx',
    packages: ['nginx-light'],
    file: 'usr/sbin/nginx',
    names: ['nginx'],
  })
}

/** Resolves when it answers. */
export async function nginxBefore({ url: serviceUrl, files }: Signoff): Promise<TestNginx> {
  const { executablePath, env } = await nginxProgram()
  const port = await freePort()
  const home = await mkdtemp(join(tmpdir(), 'signoff-nginx-'))
  // Started by root, nginx works as another user.
  await chmod(home, 0o711)
  const upstream = `127.0.0.1:${new URL(serviceUrl).port}`
  await writeFile(join(home, 'nginx.conf'), configuration({ port, upstream, certFile: files.certFile }))
  const child = spawn(executablePath, ['-e', 'stderr', '-p', home, '-c', 'nginx.conf'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const exited = once(child, 'exit')

  const url = `http://127.0.0.1:${port}`
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${complaints}`)
    return await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  })
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      await rm(home, { recursive: true, force: true })
    },
  }
}

interface Places {
  port: number
  upstream: string
  certFile: string
}

function configuration({ port, upstream, certFile }: Places): string {
  return `daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream signoff {
    server ${upstream};
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass https://signoff;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # As a body comes, it goes on: one in chunks stays in chunks.
      proxy_request_buffering off;
      proxy_ssl_name localhost;
      proxy_ssl_server_name on;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate ${certFile};
    }
  }
}
`
}
