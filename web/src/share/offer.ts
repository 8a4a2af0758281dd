import type { Asked } from '../api/wire'

/** What a view has for elsewhere. */
export type Offer = {
  /** Of files. */
  name: string
  path: string
  asked: () => Asked
  answer: object | null
  csv: () => string
  /** The element whose chart is downloaded. */
  chart: () => HTMLElement | undefined
  /** What shap would have to draw, and about which question; null: it has no such plot. */
  shap: { path: string; plot: string; asked: () => Asked } | null
}
