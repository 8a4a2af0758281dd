import { Problem, Unreachable } from '../api/problem'
import { connection } from './connection.svelte'
import type { Later } from './later'

/** What to show of a question that failed; null: nobody answered, which the page says as a whole. Throws what is a fault of the page.

It is asked again when somebody answers, or when the service says to come again. */
export function failed(error: unknown, later: Later, again: () => void): Problem | null {
  if (error instanceof Unreachable) {
    connection.broken(again)
    return null
  }
  if (!(error instanceof Problem)) throw error
  if (error.retryAfter !== null) later.put(error.retryAfter, again)
  return error
}
