import { extent } from 'd3-array'
import { scaleLinear } from 'd3-scale'

/** What an axis spans. Probabilities keep 0 to 1 as long as that shows anything, so that nothing moves but the bars. */
export function domainOf(values: number[], probability: boolean): [number, number] {
  const [low, high] = extent(values) as [number, number]
  if (probability && high - low > 0.2) return [Math.min(0, low), Math.max(1, high)]
  const margin = (high - low || Math.abs(high) || 1) * 0.08
  return scaleLinear().domain([low - margin, high + margin]).nice(6).domain() as [number, number]
}

/** An axis around zero. */
export function aroundZero(values: number[]): [number, number] {
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const margin = (high - low || 1) * 0.06
  return scaleLinear()
    .domain([low < 0 ? low - margin : 0, high > 0 ? high + margin : 0])
    .nice(6)
    .domain() as [number, number]
}
