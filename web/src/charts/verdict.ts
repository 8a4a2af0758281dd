import type { Explanation, ModelDetail } from '../api/wire'
import { digitsFor, percent, plain, signed } from './number'

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
  return { label: outputs[index]!, number: written(model, prediction[index]!), value: prediction[index]! }
}

/** What an explanation gives to the label of another verdict; null: nothing was said about it. */
export function valueOf(model: ModelDetail, { outputs, prediction }: Pick<Explanation, 'outputs' | 'prediction'>, label: string): number | null {
  const { names, class_names } = model.outputs
  if (class_names && names.length === 1) return label === class_names[1] ? prediction[0]! : 1 - prediction[0]!
  return prediction[outputs.indexOf(label)] ?? null
}

/** An output as people read it: a probability of classes in percent, any other number as it is. */
export function written(model: ModelDetail, value: number): string {
  return model.outputs.class_names ? percent(value) : plain(value, digitsFor(Math.abs(value)))
}

/** What an output is called: one probability of two classes is that of the second. */
export function calledBy({ outputs: { names, class_names } }: ModelDetail, output: string): string {
  return class_names && names.length === 1 ? class_names[1]! : output
}

/** A bar for each class or output; two for the one probability of two classes. */
export type Share = { label: string; output: string; value: number | null }

export function sharesOf({ outputs: { names, class_names } }: ModelDetail, prediction: number[] | null): Share[] {
  if (class_names && names.length === 1) {
    const p = prediction?.[0] ?? null
    return [p === null ? null : 1 - p, p].map((value, i) => ({ label: class_names[i]!, output: names[0]!, value }))
  }
  return names.map((name, i) => ({ label: name, output: name, value: prediction?.[i] ?? null }))
}

/** Below these nobody sees that a probability has changed; and single precision does not say that another number has. */
const UNSEEN = 5e-4
const ROUNDED = 1e-6

/** How the number of a verdict has changed; null: not so that it shows. */
export function changeOf(model: ModelDetail, before: Pick<Explanation, 'outputs' | 'prediction'>, { label, value }: Verdict): string | null {
  const was = valueOf(model, before, label)
  if (was === null) return null
  const difference = value - was
  if (model.outputs.class_names) return Math.abs(difference) < UNSEEN ? null : `${signed(difference * 100, 1)} points`
  return Math.abs(difference) <= ROUNDED * Math.max(Math.abs(value), Math.abs(was)) ? null : signed(difference, digitsFor(Math.abs(difference)))
}

function said(label: string, probability: number): Verdict {
  return { label, number: percent(probability), value: probability }
}
