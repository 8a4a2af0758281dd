import { api } from '../api/client'
import { Problem, Unreachable } from '../api/problem'
import type { Asked, ModelDetail, Samples, Summary } from '../api/wire'
import { connection } from './connection.svelte'
import { Later } from './later'

/** The model over its background. */
export class Overview {
  readonly model: ModelDetail
  readonly samples: Samples | null
  answer = $state.raw<Summary | null>(null)
  problem = $state.raw<Problem | null>(null)
  busy = $state(false)
  /** The output that is shown; null: all. */
  output = $state<string | null>(null)
  readonly #later = new Later()

  constructor(model: ModelDetail, samples: Samples | null) {
    this.model = model
    this.samples = samples
    if (model.outputs.names.length === 2) this.output = model.outputs.names[1]!
  }

  get asked(): Asked {
    return { model: this.model.name, outputs: this.model.image ? 'predicted' : 'all' }
  }

  /** Asks once; what was answered stays. */
  load = async (): Promise<void> => {
    if (this.busy || this.answer || this.#later.stopped) return
    this.#later.cancel()
    this.busy = true
    this.problem = null
    try {
      this.answer = (await api.summary(this.asked)).body
    } catch (error) {
      if (error instanceof Unreachable) connection.broken(this.load)
      else if (error instanceof Problem) this.#refused(error)
      else throw error
    } finally {
      this.busy = false
    }
  }

  #refused(problem: Problem): void {
    this.problem = problem
    if (problem.retryAfter !== null) this.#later.put(problem.retryAfter, this.load)
  }

  stop(): void {
    this.#later.stop()
  }
}
