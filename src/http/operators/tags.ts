// The group of the description in which the endpoints for operators stand.

export const TAGS = ['Operators']
