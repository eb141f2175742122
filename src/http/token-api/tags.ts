// The group of the description in which the token API stands.

export const TAGS = ['Token API']
