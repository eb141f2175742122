// A system log that keeps its lines for the test to read.
import type { SystemLog } from '../../../src/ops/log.ts'

export interface LogLine {
  level: keyof SystemLog
  fields: Record<string, unknown>
  message: string
}

export interface RecordingLog extends SystemLog {
  lines: LogLine[]
}

export function recordingLog(): RecordingLog {
  const lines: LogLine[] = []
  const record =
    (level: keyof SystemLog) =>
    (first: string | object, message?: string): void => {
      const fields = typeof first === 'string' ? {} : { ...first }
      lines.push({ level, fields, message: typeof first === 'string' ? first : (message ?? '') })
    }
  return {
    lines,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  }
}
