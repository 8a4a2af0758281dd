export type Theme = 'auto' | 'light' | 'dark'

const KEY = 'shapserve'

function kept(): { theme?: Theme; colourBlind?: boolean } {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}')
  } catch {
    return {}
  }
}

/** What the visitor likes; kept in the browser. */
class Preferences {
  theme = $state<Theme>(kept().theme ?? 'auto')
  colourBlind = $state(kept().colourBlind ?? false)

  /** Onto the document; called in an effect. */
  apply(): void {
    const root = document.documentElement
    if (this.theme === 'auto') delete root.dataset.theme
    else root.dataset.theme = this.theme
    root.classList.toggle('colour-blind', this.colourBlind)
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, colourBlind: this.colourBlind }))
    } catch {
      // Without storage, the choice lasts as long as the page.
    }
  }
}

export const preferences = new Preferences()
