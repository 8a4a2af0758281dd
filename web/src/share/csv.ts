import { at, leaves } from '../api/nested'
import type { Compared, Explained, Summary } from '../api/wire'

type Cell = string | number

const COLUMNS = ['player', 'data', 'output', 'shap_value', 'stderr', 'base_value', 'prediction']

/** A line per player and output: what it stood at, its value, its standard error. */
export function csv(answer: Explained): string {
  return written([COLUMNS, ...linesOf(answer)])
}

/** The same of every method. */
export function csvOfComparison({ explanations }: Compared): string {
  const lines = Object.entries(explanations).flatMap(([method, answer]) => linesOf(answer).map((line) => [method, ...line]))
  return written([['method', ...COLUMNS], ...lines])
}

function linesOf(answer: Explained): Cell[][] {
  const lines: Cell[][] = []
  const explanation = answer.explanations[0]!
  const { outputs, base_values, prediction, data } = explanation
  for (const { place, values } of leaves(explanation.shap_values)) {
    const errors = explanation.proof.stderr === null ? null : at(explanation.proof.stderr, place)
    const name = answer.feature_names?.[place[0]!] ?? place.join(' ')
    const stood = answer.feature_names ? (data?.[place[0]!] ?? '') : ''
    values.forEach((value, o) =>
      lines.push([name, stood, outputs[o]!, value, (errors as number[] | null)?.[o] ?? '', base_values[o]!, prediction[o]!]),
    )
  }
  return lines
}

/** A line per player and output: how much it matters over all. */
export function csvOfMeans(answer: Summary): string {
  const lines: Cell[][] = [['player', 'output', 'mean_abs_shap_value']]
  for (const { place, values } of leaves(answer.mean_abs_shap_values)) {
    const name = answer.feature_names?.[place[0]!] ?? place.join(' ')
    values.forEach((value, o) => lines.push([name, answer.outputs[o]!, value]))
  }
  return written(lines)
}

function written(lines: Cell[][]): string {
  return lines.map((line) => line.map(quoted).join(',')).join('\r\n') + '\r\n'
}

function quoted(cell: Cell): string {
  if (typeof cell === 'number') return String(cell)
  // A table calculator would run it.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
