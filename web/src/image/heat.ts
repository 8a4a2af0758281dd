import type { Explained, Explanation, Nested } from '../api/wire'
import type { Pixels } from './pixels'

/** A value per pixel, row by row. */
export type Heat = { width: number; height: number; values: Float64Array }
export type Sign = 'both' | 'for' | 'against'

/** Shapley values of one output, spread over the pixels of their patches; channels are added up. */
export function heatOf(answer: Pick<Explained, 'players'>, explanation: Explanation, output: string, width: number, height: number): Heat | null {
  const index = explanation.outputs.indexOf(output)
  if (index < 0) return null
  return spread(explanation.shap_values, answer.players, index, width, height)
}

/** (rows, columns[, channels], outputs) to (height, width). */
export function spread(nested: Nested, players: string, output: number, width: number, height: number): Heat {
  const grid = nested as Nested[][]
  const rows = grid.length
  const columns = grid[0]!.length
  const values = new Float64Array(width * height)
  for (let y = 0; y < height; y++) {
    const row = grid[Math.floor((y * rows) / height)]!
    for (let x = 0; x < width; x++) {
      const cell = row[Math.floor((x * columns) / width)] as Nested[]
      values[y * width + x] =
        players === 'pixels'
          ? (cell as number[][]).reduce((sum, channel) => sum + channel[output]!, 0)
          : (cell as number[])[output]!
    }
  }
  return { width, height, values }
}

/** What counts as full colour: the 99.5th percentile of the sizes, so that one pixel does not drown the rest. */
export function fullColour(heats: Heat[]): number {
  const sizes = heats.flatMap((heat) => Array.from(heat.values, Math.abs)).sort((a, b) => a - b)
  return sizes[Math.floor((sizes.length - 1) * 0.995)] || sizes.at(-1) || 1
}

export type Hues = { up: [number, number, number]; down: [number, number, number] }

export const HUES: Record<'shap' | 'colour_blind', Hues> = {
  shap: { up: [255, 0, 81], down: [0, 139, 251] },
  colour_blind: { up: [240, 120, 0], down: [0, 104, 201] },
}

/** Coloured where the value counts, transparent where it does not. */
export function painted({ width, height, values }: Heat, full: number, sign: Sign, hues: Hues): Pixels {
  const rgba = new Uint8ClampedArray(width * height * 4)
  values.forEach((value, i) => {
    const [red, green, blue] = value > 0 ? hues.up : hues.down
    const shown = sign === 'both' || (sign === 'for') === value > 0
    rgba.set([red, green, blue, shown ? 255 * Math.min(1, Math.abs(value) / full) : 0], 4 * i)
  })
  return { width, height, rgba }
}

/** The mean of the sizes, over several. */
export function meanSize(heats: Heat[]): Heat {
  const { width, height } = heats[0]!
  const values = new Float64Array(width * height)
  for (const heat of heats) heat.values.forEach((value, i) => (values[i]! += Math.abs(value) / heats.length))
  return { width, height, values }
}
