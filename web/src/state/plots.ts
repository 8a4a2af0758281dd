export const PLOTS = ['Waterfall', 'Force', 'Decision', 'Bars', 'Interactions', 'Compare'] as const
export type Plot = (typeof PLOTS)[number]
