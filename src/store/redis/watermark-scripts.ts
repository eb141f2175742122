// The scripts of the watermarks, each one command in Redis: what they read and write, and what they answer.
import type { Script } from './redis-commands.ts'

/**
 * Keys: position and watermark of each partition. Answers the time, the different values, and for each key the place of
 * its value among these, from 0; the value of a key that does not exist is ''. At rest they are all the same.
 */
export const READ_WATERMARKS: Script = {
  name: 'read-watermarks',
  lua: `
local time = redis.call('TIME')
local values, places, placeOf = {}, {}, {}
for i = 1, #KEYS do
  local value = redis.call('GET', KEYS[i]) or ''
  if not placeOf[value] then
    placeOf[value] = #values
    values[#values + 1] = value
  end
  places[i] = placeOf[value]
end
return {time[1] * 1000 + math.floor(time[2] / 1000), values, places}`,
}

/**
 * Keys, of each partition in turn: position, watermark, denials. Arguments: the number of different moves, and of each
 * the position that must stand there, the next one, the watermark, and when it falls ('' leaves it, '0' takes it away);
 * then of each partition the number of its move, from 0, the number of denials, and the milliseconds that each of them
 * lasts. Answers 1 for each partition that took the step. At rest they all make the same move.
 *
 * One script, so that a replica, an append-only file or a snapshot has a position only with all that it stands for.
 */
export const STEP_WATERMARKS: Script = {
  name: 'step-watermarks',
  lua: `
local answer = {}
local key, arg = 1, 2 + 4 * ARGV[1]
while arg < #ARGV do
  local move, count = 2 + 4 * ARGV[arg], tonumber(ARGV[arg + 1])
  local from, to, watermark, falls = ARGV[move], ARGV[move + 1], ARGV[move + 2], ARGV[move + 3]
  local isExpected = (redis.call('GET', KEYS[key]) or '') == from
  if isExpected then
    for j = 1, count do redis.call('SET', KEYS[key + 1 + j], '1', 'PX', ARGV[arg + 1 + j]) end
    redis.call('SET', KEYS[key], to)
    if falls == '0' then redis.call('DEL', KEYS[key + 1])
    elseif falls ~= '' then redis.call('SET', KEYS[key + 1], watermark, 'PXAT', falls) end
  end
  answer[#answer + 1] = isExpected and 1 or 0
  key, arg = key + 2 + count, arg + 2 + count
end
return answer`,
}

/**
 * Keys, of each partition in turn: position, denials. Arguments: the number of partitions, then of each the position
 * that must stand there, the number of denials, and the milliseconds that each of them lasts. Answers, for each
 * partition, -1 where it stands elsewhere, else the number of missing denials and their places, from 0.
 */
export const FILL_PARTITIONS: Script = {
  name: 'fill-partitions',
  lua: `
local answer = {}
local key, arg = 1, 2
for i = 1, tonumber(ARGV[1]) do
  local position, count = ARGV[arg], tonumber(ARGV[arg + 1])
  if redis.call('GET', KEYS[key]) ~= position then
    answer[#answer + 1] = -1
  else
    local at = #answer + 1
    answer[at] = 0
    for j = 1, count do
      if redis.call('SET', KEYS[key + j], '1', 'PX', ARGV[arg + 1 + j], 'NX') then
        answer[at] = answer[at] + 1
        answer[#answer + 1] = j - 1
      end
    end
  end
  key, arg = key + 1 + count, arg + 2 + count
end
return answer`,
}

/** Keys: position and watermark of each partition. Removes them. */
export const RESET_WATERMARKS: Script = {
  name: 'reset-watermarks',
  lua: `
for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
return #KEYS`,
}
