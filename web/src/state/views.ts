export const VIEWS = ['What if', 'Global'] as const
export type View = (typeof VIEWS)[number]
