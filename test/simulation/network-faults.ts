// What can go wrong between an instance and a store: messages that are late or lost, and ways that are cut.
import type { Random } from '../fault/random.ts'
import type { Route } from './network.ts'
import type { Deployment, World } from './world.ts'

/** What a fault acts on. */
export interface Act {
  world: World
  deployment: Deployment
  random: Random
  choice: number
  durationMs: number
}

export interface Fault {
  /** How often it is planned, compared with others. */
  weight: number
  /** In worlds where it makes sense. */
  isFor?: (world: World) => boolean
  /** Begins it; returns what ends it. */
  begin: (act: Act) => () => void
}

export function networkFaults(
  store: string,
  wayOf: (act: Act, instance: string) => Route,
): Record<string, Fault> {
  const fault = (weight: number, change: Change, direction: Direction): Fault => ({
    weight,
    begin: (act) => changed(wayOf(act, pickOf(act.deployment.instances, act.choice).name), change, direction),
  })
  return {
    [`an instance is far from ${store}`]: fault(2, { isCut: false, slowMs: 150, lossShare: 0 }, 'both'),
    [`an instance is very far from ${store}`]: fault(1, { isCut: false, slowMs: 900, lossShare: 0 }, 'both'),
    [`messages to ${store} are lost`]: fault(3, { isCut: false, slowMs: 0, lossShare: 0.35 }, 'there'),
    [`answers of ${store} are lost`]: fault(3, { isCut: false, slowMs: 0, lossShare: 0.35 }, 'back'),
    [`an instance is cut off ${store}`]: fault(3, { isCut: true, slowMs: 0, lossShare: 0 }, 'both'),
    [`an instance hears nothing of ${store}`]: fault(2, { isCut: true, slowMs: 0, lossShare: 0 }, 'back'),
  }
}

interface Change {
  isCut: boolean
  slowMs: number
  lossShare: number
}

type Direction = 'there' | 'back' | 'both'

export function changed(way: Route, change: Change, direction: Direction): () => void {
  const links = direction === 'both' ? [way.there, way.back] : [way[direction]]
  for (const link of links) Object.assign(link, change)
  return () => {
    for (const link of links) Object.assign(link, { isCut: false, slowMs: 0, lossShare: 0 })
  }
}

export function pickOf<T>(items: readonly T[], choice: number): T {
  const item = items[Math.floor(((choice * 7919) % 1) * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}
