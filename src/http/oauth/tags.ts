// The group of the description in which all endpoints for peers stand.

export const TAGS = ['Peers']
