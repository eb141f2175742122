// When two usernames are the same one.

/** Names are the same when they differ in case, in space around them, or in how Unicode spells an accent. */
export function usernameKey(username: string): string {
  return username.trim().normalize('NFC').toLowerCase()
}
