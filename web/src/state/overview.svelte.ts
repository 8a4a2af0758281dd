import { api } from '../api/client'
import type { Problem } from '../api/problem'
import type { Asked, ModelDetail, Samples, Summary } from '../api/wire'
import { failed } from './failed'
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
      this.problem = failed(error, this.#later, this.load)
    } finally {
      this.busy = false
    }
  }

  stop(): void {
    this.#later.stop()
  }
}
