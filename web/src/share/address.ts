import { base64 } from '../image/pixels'
import type { session } from '../state/session.svelte'
import { encode } from './fragment'

/** The whole state as the part of the address after `#`; null while there is nothing to say. */
export function addressOf({ view, tabular, drawing }: typeof session): string | null {
  if (tabular) {
    const { plot, output, compared, row, options } = tabular
    return encode({ model: tabular.model.name, view, plot, output, compared, row: { ...row }, options: kept(options) })
  }
  if (drawing) {
    return encode({ model: drawing.model.name, view, output: drawing.picked, image: base64(drawing.pixels), options: kept(drawing.options) })
  }
  return null
}

function kept(options: NonNullable<(typeof session)['tabular']>['options']): Record<string, unknown> {
  const { outputs } = options
  return { ...options.sent, ...(outputs === 'all' ? {} : { outputs }) }
}
