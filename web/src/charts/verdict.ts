import type { Explanation, ModelDetail } from '../api/wire'
import { percent, plain, digitsFor } from './number'

/** A prediction as people say it. */
export type Verdict = { label: string; number: string; value: number }

/** The likeliest class and its probability; for regression the output and its value. */
export function verdictOf(model: ModelDetail, explanation: Pick<Explanation, 'outputs' | 'prediction'>, output: string | null): Verdict {
  const { outputs, prediction } = explanation
  const { names, class_names } = model.outputs
  if (class_names && names.length === 1) {
    const one = prediction[0]! >= 0.5
    return said(class_names[one ? 1 : 0]!, one ? prediction[0]! : 1 - prediction[0]!)
  }
  if (class_names) {
    const best = prediction.indexOf(Math.max(...prediction))
    const shown = outputs.length === names.length ? best : Math.max(0, outputs.indexOf(output ?? ''))
    return said(outputs[shown]!, prediction[shown]!)
  }
  const index = Math.max(0, outputs.indexOf(output ?? ''))
  return { label: outputs[index]!, number: plain(prediction[index]!, digitsFor(Math.abs(prediction[index]!))), value: prediction[index]! }
}

/** What an explanation gives to the label of another verdict; null: nothing was said about it. */
export function valueOf(model: ModelDetail, { outputs, prediction }: Pick<Explanation, 'outputs' | 'prediction'>, label: string): number | null {
  const { names, class_names } = model.outputs
  if (class_names && names.length === 1) return label === class_names[1] ? prediction[0]! : 1 - prediction[0]!
  return prediction[outputs.indexOf(label)] ?? null
}

function said(label: string, probability: number): Verdict {
  return { label, number: percent(probability), value: probability }
}
