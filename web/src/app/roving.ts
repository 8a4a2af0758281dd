/** One stop of the Tab key for a list of buttons; arrow keys, Home and End move within it. */
export function roving(list: HTMLElement) {
  const buttons = () => [...list.querySelectorAll('button')]
  const enter = (at: number) => buttons().forEach((button, i) => (button.tabIndex = i === at ? 0 : -1))

  function key(event: KeyboardEvent) {
    const all = buttons()
    const at = all.indexOf(document.activeElement as HTMLButtonElement)
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }
    const next = all[steps[event.key] ?? -1]
    if (!next) return
    event.preventDefault()
    next.focus()
  }

  const focused = (event: FocusEvent) => enter(buttons().indexOf(event.target as HTMLButtonElement))
  enter(0)
  list.addEventListener('keydown', key)
  list.addEventListener('focusin', focused)
  return {
    destroy() {
      list.removeEventListener('keydown', key)
      list.removeEventListener('focusin', focused)
    },
  }
}
