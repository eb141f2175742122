#!/usr/bin/env node
// The command line: what is typed becomes one of the commands.
import { Argument, Command, CommanderError, Option } from 'commander'
import { describeError } from './commands/describe-error.ts'
import type { MigrateAction } from './commands/migrate.ts'
import type { Output } from './commands/output.ts'
import { parsePublishSeconds, PUBLISH_SECONDS } from './commands/publish-seconds.ts'
import { readConfig, readServeConfig } from './config.ts'
import { ConfigError } from './settings/config-error.ts'
import { settingsEnvironment } from './settings/settings-environment.ts'
import { version } from './version.ts'

const json = new Option('--json', 'print JSON, for programs').default(false)
const settings = () => readConfig(settingsEnvironment())

// Each command loads what it needs, and no more: to serve takes ten times what it takes to list keys.

function commandLine(): Command {
  const program = new Command('signoff')
    .version(version)
    .description(
      'An auth service whose logout holds. Settings come from the environment and .env: see docs/operating.md.',
    )
    .exitOverride()

  program
    .command('start')
    .description('serve, providing whatever of Postgres, Redis, TLS and keys the environment does not name')
    .action(async () => {
      const { start } = await import('./commands/start.ts')
      await start(settings())
    })
  program
    .command('serve')
    .description('serve in production: provide nothing, refuse to start when something is missing')
    .action(async () => {
      const { serve } = await import('./commands/serve.ts')
      await serve(readServeConfig(settingsEnvironment()))
    })
  program
    .command('migrate')
    .description('bring the database schema up to date, take one step back, or tell where it stands')
    .addArgument(new Argument('[action]').choices(['up', 'down', 'status']).default('up'))
    .addOption(json)
    .action(async (action: MigrateAction, output: Output) => {
      const { migrate } = await import('./commands/migrate.ts')
      await migrate(settings(), action, output)
    })
  addUserCommands(program.command('user').description('manage users; a password comes from standard input'))
  const keys = program.command('keys').description('manage the files that sign tokens')
  addKeysCommands(keys)
  addKeysRotate(keys)
  addPeerCommands(program.command('peer').description('manage the services that ask on their own behalf'))
  addDenylistCommands(program.command('denylist').description('see to the copy of the journal in Redis'))
  return program
}

function addUserCommands(user: Command): void {
  user
    .command('add <name>')
    .description('add a user')
    .option('--role <role>', 'the role, which peers see as the scope of the tokens', 'user')
    .addOption(json)
    .action(async (username: string, { role, ...output }: Output & { role: string }) => {
      const { userAdd } = await import('./commands/user.ts')
      await userAdd(settings(), { username, role }, output)
    })
  user
    .command('list')
    .description('list the users')
    .addOption(json)
    .action(async (output: Output) => {
      const { userList } = await import('./commands/user.ts')
      await userList(settings(), output)
    })
  user
    .command('set-role <name> <role>')
    .description('give a user another one of ROLES; ends all sessions')
    .addOption(json)
    .action(async (username: string, role: string, output: Output) => {
      const { userSetRole } = await import('./commands/user.ts')
      await userSetRole(settings(), { username, role }, output)
    })
  user
    .command('set-claims <name> <json>')
    .description(
      'have access tokens of a user say more, as {"department":"sales"}; - reads it from standard input',
    )
    .addOption(json)
    .action(async (username: string, text: string, output: Output) => {
      const { userSetClaims } = await import('./commands/user.ts')
      await userSetClaims(settings(), { username, json: text }, output)
    })
  const named = { disable: 'userDisable', enable: 'userEnable', 'set-password': 'userSetPassword' } as const
  for (const [name, command] of Object.entries(named)) {
    user
      .command(`${name} <name>`)
      .description(
        name === 'enable' ? 'let a user log in again' : `${name.replace('-', ' ')}; ends all sessions`,
      )
      .addOption(json)
      .action(async (username: string, output: Output) => {
        const commands = await import('./commands/user.ts')
        await commands[command](settings(), username, output)
      })
  }
}

function addKeysCommands(keys: Command): void {
  keys
    .command('generate')
    .description('write SIGNING_KEYS_FILE and REFRESH_KEY_FILE where they do not exist')
    .addOption(json)
    .action(async (output: Output) => {
      const { keysGenerate } = await import('./commands/keys.ts')
      await keysGenerate(settings(), output)
    })
  keys
    .command('list')
    .description('list the signing keys: which one signs, which is next, until when the others verify')
    .addOption(json)
    .action(async (output: Output) => {
      const { keysList } = await import('./commands/keys.ts')
      await keysList(settings(), output)
    })
}

function addKeysRotate(keys: Command): void {
  keys
    .command('rotate')
    .description('add the next signing key to SIGNING_KEYS_FILE; nobody is logged out')
    .addOption(
      new Option('--publish-seconds <n>', 'how long the new key is published before it signs')
        .argParser(parsePublishSeconds)
        .default(PUBLISH_SECONDS),
    )
    .addHelpText(
      'after',
      `
Running instances read the file again within five seconds. The new key is published at once and signs an hour later;
the one before is published until its last token is dead, and leaves the file with a later rotation. Nothing has to
be restarted. Where each instance has a copy of the file, copy it to all of them well before the new key signs.
Publish for longer where peers keep keys for longer than 15 minutes. Give it the LEEWAY of the service.`,
    )
    .addOption(json)
    .action(async ({ publishSeconds, ...output }: Output & { publishSeconds: number }) => {
      const { keysRotate } = await import('./commands/keys-rotate.ts')
      await keysRotate(settings(), { publishSeconds }, output)
    })
}

function addPeerCommands(peer: Command): void {
  peer
    .command('add <name>')
    .description('add a peer; prints its secret, which is shown this once')
    .addHelpText(
      'after',
      `
The name is the client_id: 1 to 63 lowercase letters, digits, dots, hyphens and underscores. A running service
knows the peer within a second. For a new secret, remove the peer and add it again.`,
    )
    .addOption(json)
    .action(async (clientId: string, output: Output) => {
      const { peerAdd } = await import('./commands/peer.ts')
      await peerAdd(settings(), clientId, output)
    })
  peer
    .command('list')
    .description('list the peers')
    .addOption(json)
    .action(async (output: Output) => {
      const { peerList } = await import('./commands/peer.ts')
      await peerList(settings(), output)
    })
  peer
    .command('remove <name>')
    .description('remove a peer; a running service refuses it within ten seconds')
    .addOption(json)
    .action(async (clientId: string, output: Output) => {
      const { peerRemove } = await import('./commands/peer.ts')
      await peerRemove(settings(), clientId, output)
    })
}

function addDenylistCommands(denylist: Command): void {
  denylist
    .command('status')
    .description('tell how Redis stands to the journal; fails when it is not in sync')
    .addOption(json)
    .action(async (output: Output) => {
      const { denylistStatus } = await import('./commands/denylist.ts')
      await denylistStatus(settings(), output)
    })
  denylist
    .command('rebuild')
    .description('write Redis anew from the journal, trusting nothing that is in there')
    .addHelpText(
      'after',
      `
Meanwhile the service goes on: it asks Postgres about every token, and logouts hold. Peers that read Redis
by themselves cannot tell, and refuse every token, until it is in sync again: under a minute for a million denials.
It may be interrupted: the journal has everything, and a running service finishes the work.`,
    )
    .addOption(json)
    .action(async (output: Output) => {
      const { denylistRebuild } = await import('./commands/denylist.ts')
      await denylistRebuild(settings(), output)
    })
}

/** 0 done, 1 failed, 2 used wrongly. */
async function main(): Promise<number> {
  try {
    await commandLine().parseAsync()
    return 0
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`signoff: ${describeError(error)}\n`)
    return error instanceof ConfigError ? 2 : 1
  }
}

process.exitCode = await main()
// A connection to a server that hangs, or whatever else still holds the process, has had its time.
setTimeout(() => process.exit(), 1000).unref()
