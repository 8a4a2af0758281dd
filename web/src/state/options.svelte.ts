import type { Asked, ModelDetail } from '../api/wire'

/** How to explain; null: the default, which is not sent. */
export class Options {
  method = $state('auto')
  players = $state<string | null>(null)
  patches = $state<number | null>(null)
  background = $state('default')
  outputs = $state('all')
  seed = $state<number | null>(null)
  max_evaluations = $state<number | null>(null)
  max_stderr = $state<number | null>(null)

  /** Only what differs from the defaults. */
  get sent(): Partial<Asked> {
    const sent: Partial<Asked> = {}
    if (this.method !== 'auto') sent.method = this.method
    if (this.patches !== null) sent.patches = this.patches
    else if (this.players !== null) sent.players = this.players
    if (this.background !== 'default') sent.background = this.background
    if (this.seed !== null) sent.seed = this.seed
    if (this.max_evaluations !== null) sent.max_evaluations = this.max_evaluations
    if (this.max_stderr !== null) sent.max_stderr = this.max_stderr
    return sent
  }

  get changed(): boolean {
    return Object.keys(this.sent).length > 0 || this.outputs !== 'all'
  }

  reset(): void {
    this.method = 'auto'
    this.players = this.patches = this.seed = this.max_evaluations = this.max_stderr = null
    this.background = 'default'
    this.outputs = 'all'
  }

  /** From a shared address; unknown words are left out, and said. */
  restore(kept: Record<string, unknown>, model: ModelDetail): string[] {
    this.reset()
    const unknown: string[] = []
    const word = (name: 'method' | 'players' | 'background' | 'outputs', allowed: string[]) => {
      const value = kept[name]
      if (value === undefined) return
      if (typeof value === 'string' && allowed.includes(value)) this[name] = value
      else unknown.push(name)
    }
    const number = (name: 'patches' | 'seed' | 'max_evaluations' | 'max_stderr') => {
      const value = kept[name]
      if (value === undefined) return
      if (typeof value === 'number' && Number.isFinite(value)) this[name] = value
      else unknown.push(name)
    }
    word('method', ['auto', ...model.methods.map((method) => method.name)])
    word('players', model.players)
    word('background', model.backgrounds)
    word('outputs', ['all', 'predicted', ...model.outputs.names])
    number('patches')
    number('seed')
    number('max_evaluations')
    number('max_stderr')
    return unknown
  }
}
