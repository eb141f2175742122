// The group of the description in which the description itself stands.

export const TAGS = ['Description']
