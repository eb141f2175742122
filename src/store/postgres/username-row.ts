// How the row of a username is found: by the key of today, or by the one that it was stored under before.

/** In the order of the keys, an array, in the first parameter; at most one row. */
export const ROW_OF_USERNAME = `username_key = (
  SELECT username_key FROM users WHERE username_key = ANY($1::text[])
  ORDER BY array_position($1::text[], username_key) LIMIT 1)`
