// The group of the description in which the account API stands.

export const TAGS = ['Account API']
