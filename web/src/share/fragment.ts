import type { Row, Value } from '../api/wire'
import { PLOTS, type Plot } from '../state/plots'
import { VIEWS, type View } from '../state/views'

/** What the address after `#` says. Nothing in it is trusted. */
export type Shared = {
  model: string | null
  view: View | null
  plot: Plot | null
  output: string | null
  row: Row | null
  /** A PNG in standard base64. */
  image: string | null
  compared: string[] | null
  options: Record<string, unknown>
  message: string | null
}

const BAD = 'The link is damaged in part; what could be read of it is shown.'

export function encode(shared: Partial<Shared>): string {
  const said = new URLSearchParams()
  if (shared.model) said.set('model', shared.model)
  if (shared.view && shared.view !== 'What if') said.set('view', shared.view)
  if (shared.plot && shared.plot !== 'Waterfall') said.set('plot', shared.plot)
  if (shared.output) said.set('output', shared.output)
  if (shared.compared && shared.plot === 'Compare') said.set('compared', shared.compared.join(' '))
  if (shared.row) said.set('row', JSON.stringify(shared.row))
  if (shared.image) said.set('image', shared.image.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''))
  if (shared.options && Object.keys(shared.options).length) said.set('options', JSON.stringify(shared.options))
  return `#${said}`
}

export function decode(fragment: string): Shared {
  const said = new URLSearchParams(fragment.replace(/^#/, ''))
  let damaged = false
  const one = <T extends string>(name: string, allowed: readonly T[]): T | null => {
    const value = said.get(name)
    if (value === null) return null
    const known = allowed.find((each) => each === value)
    if (!known) damaged = true
    return known ?? null
  }
  const object = (name: string): Record<string, unknown> | null => {
    const text = said.get(name)
    if (text === null) return null
    try {
      const value: unknown = JSON.parse(text)
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    } catch {
      // Said below.
    }
    damaged = true
    return null
  }
  const row = object('row')
  const options = object('options') ?? {}
  const image = said.get('image')
  const legible = image !== null && /^[\w-]+$/.test(image)
  if (image !== null && !legible) damaged = true
  if (row && !Object.values(row).every(isValue)) damaged = true
  if (fragment.length > 1 && !said.get('model')) damaged = true
  const shared: Shared = {
    model: said.get('model'),
    view: one('view', VIEWS),
    plot: one('plot', PLOTS),
    output: said.get('output'),
    row: row && (Object.fromEntries(Object.entries(row).filter(([, value]) => isValue(value))) as Row),
    image: legible ? image.replaceAll('-', '+').replaceAll('_', '/') : null,
    compared: said.has('compared') ? [...new Set(said.get('compared')!.split(' ').filter(Boolean))] : null,
    options,
    message: null,
  }
  return { ...shared, message: damaged ? BAD : null }
}

function isValue(value: unknown): value is Value {
  return value === null || typeof value === 'string' || Number.isFinite(value)
}
