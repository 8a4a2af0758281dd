import { api } from '../api/client'

const FIRST = 500
const LONGEST = 8_000
/** A server that answered for so long (ms) is well; one that is lost again before is asked ever more rarely. */
const WELL = 30_000

/** Whether the server answers, and what to do when it does again. */
class Connection {
  lost = $state(false)
  #again: (() => void)[] = []
  #polling = false
  #wait = FIRST
  #found = -Infinity

  /** A request found nobody: poll until somebody is there, then call everyone who asked. */
  broken(again: () => void): void {
    this.lost = true
    if (!this.#again.includes(again)) this.#again.push(again)
    if (!this.#polling) void this.#poll()
  }

  async #poll(): Promise<void> {
    this.#polling = true
    if (performance.now() - this.#found > WELL) this.#wait = FIRST
    do {
      await new Promise((resolve) => setTimeout(resolve, this.#wait))
      this.#wait = Math.min(this.#wait * 1.6, LONGEST)
    } while (!(await api.alive()))
    this.#found = performance.now()
    this.#polling = false
    this.lost = false
    const again = this.#again
    this.#again = []
    for (const each of again) each()
  }
}

export const connection = new Connection()
