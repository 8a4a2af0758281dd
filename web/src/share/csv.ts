import { at, leaves } from '../api/nested'
import type { Explained, Summary } from '../api/wire'

/** A line per player and output: what it stood at, its value, its standard error. */
export function csv(answer: Explained): string {
  const lines = [['player', 'data', 'output', 'shap_value', 'stderr', 'base_value', 'prediction']]
  const explanation = answer.explanations[0]!
  const { outputs, base_values, prediction, data } = explanation
  for (const { place, values } of leaves(explanation.shap_values)) {
    const errors = explanation.proof.stderr === null ? null : at(explanation.proof.stderr, place)
    const name = answer.feature_names?.[place[0]!] ?? place.join(' ')
    const stood = answer.feature_names ? (data?.[place[0]!] ?? '') : ''
    values.forEach((value, o) =>
      lines.push([name, stood, outputs[o]!, value, (errors as number[] | null)?.[o] ?? '', base_values[o]!, prediction[o]!].map(String)),
    )
  }
  return written(lines)
}

/** A line per player and output: how much it matters over all. */
export function csvOfMeans(answer: Summary): string {
  const lines = [['player', 'output', 'mean_abs_shap_value']]
  for (const { place, values } of leaves(answer.mean_abs_shap_values)) {
    const name = answer.feature_names?.[place[0]!] ?? place.join(' ')
    values.forEach((value, o) => lines.push([name, answer.outputs[o]!, String(value)]))
  }
  return written(lines)
}

function written(lines: string[][]): string {
  return lines.map((line) => line.map(quoted).join(',')).join('\r\n') + '\r\n'
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
