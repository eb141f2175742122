// Tells from time to time of something that happens again and again.
import { currentMoment, secondsBetween, type Moment } from './two-clocks.ts'

/** An outage fails every check; one line in ten seconds tells of it. */
const PAUSE_SECONDS = 10

/** Passes on one error in ten seconds. */
export function rateLimited(report: (error: Error) => void): (error: Error) => void {
  let reportedAt: Moment | null = null
  return (error) => {
    const now = currentMoment()
    if (reportedAt && secondsBetween(reportedAt, now) < PAUSE_SECONDS) return
    reportedAt = now
    report(error)
  }
}
