import type { Reasons } from './reasons'

/** What every chart of one explanation is given. */
export type PlotProps = {
  reasons: Reasons
  /** Before the present edit. */
  ghost: Reasons | null
  probability: boolean
  order: 'size' | 'form'
  width: number
  alt: string
}
