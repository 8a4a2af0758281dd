import { keyring } from './key'
import { problemOf, Unreachable } from './problem'
import type { Asked, Compared, Explained, ModelDetail, ModelSummary, Predicted, Samples, Summary } from './wire'

/** How long an answer took: as the server says (ms), and with the way there and back. */
export type Took = { server: number | null; roundTrip: number }
export type Timed<T> = { body: T; took: Took }

/** Sends, again when a key was asked for and given; what is thrown says what was wrong. `start`: when the request that was answered was sent. */
async function send(path: string, init: RequestInit): Promise<{ response: Response; start: number }> {
  for (;;) {
    const { key, headers } = keyring
    const start = performance.now()
    const response = await answered(path, { cache: 'no-store', ...init, headers: { ...(init.headers as Record<string, string>), ...headers } })
    if (response?.status !== 401) keyring.taken(key)
    if (response === null) throw new Unreachable()
    if (response.ok) return { response, start }
    if (response.status !== 401 || !(await keyring.refused(key))) throw await problemOf(response)
    init.signal?.throwIfAborted()
  }
}

/** null: nobody answers. */
async function answered(path: string, init: RequestInit): Promise<Response | null> {
  try {
    return await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    return null
  }
}

function posted(asked: object, accept: string, signal?: AbortSignal): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: accept }, body: JSON.stringify(asked), signal }
}

async function post<T>(path: string, asked: object, signal?: AbortSignal): Promise<Timed<T>> {
  const { response, start } = await send(path, posted(asked, 'application/json', signal))
  let body: T
  try {
    body = await response.json()
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Unreachable()
  }
  return { body, took: { server: serverTime(response.headers.get('Server-Timing')), roundTrip: performance.now() - start } }
}

/** The sum of the durations of a Server-Timing header, in milliseconds. */
export function serverTime(header: string | null): number | null {
  if (!header) return null
  const durations = [...header.matchAll(/;\s*dur=([\d.]+)/g)].map((match) => Number(match[1]))
  return durations.length ? durations.reduce((sum, each) => sum + each, 0) : null
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await send(path, { signal })).response.json()
}

/** Margins between classes are no probabilities: the page shows them as the numbers that they are. */
export function asNumbers(model: ModelDetail): ModelDetail {
  return model.outputs.probabilities ? model : { ...model, outputs: { ...model.outputs, class_names: null } }
}

export const api = {
  models: () => get<{ models: ModelSummary[] }>('/models').then((answer) => answer.models),
  model: (name: string) => get<ModelDetail>(`/models/${encodeURIComponent(name)}`).then(asNumbers),
  samples: (name: string) => get<Samples>(`/models/${encodeURIComponent(name)}/samples`),
  predict: (asked: Asked, signal?: AbortSignal) => post<Predicted>('/predict', { model: asked.model, instances: asked.instances }, signal),
  explain: (asked: Asked, signal?: AbortSignal) => post<Explained>('/explain', asked, signal),
  compare: (asked: Asked, signal?: AbortSignal) => post<Compared>('/compare', asked, signal),
  summary: (asked: Asked, signal?: AbortSignal) => post<Summary>('/summary', asked, signal),
  /** A picture as shap draws it. */
  picture: async (path: string, asked: object, type: string) => (await send(path, posted(asked, type))).response.blob(),
  /** Whether anybody is there; a server that is still loading is. */
  alive: async () => {
    try {
      const response = await fetch('/readyz', { cache: 'no-store' })
      return response.ok || response.status === 503
    } catch {
      return false
    }
  },
}
