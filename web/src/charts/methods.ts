/** Colours of methods side by side, readable in both themes; the order of the bars says the same. */
export const SHADES = ['#8a63e8', '#12a08a', '#d9731a', '#3f82e0', '#d0468f', '#828b9b', '#9c8a00', '#2f9d5c', '#b07cf0']
