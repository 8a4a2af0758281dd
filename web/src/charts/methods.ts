/** A shade and a pattern per method of a comparison: the colour is not the only carrier, the order is the same everywhere. */
export const SHADES = ['#6a35d9', '#0b8a77', '#c2570c', '#2563c9', '#b0206f', '#6b7280', '#8a7a00', '#107c41', '#8b5cf6']
