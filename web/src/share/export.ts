/** What is drawn, as files that need nothing else. */

/** What a style may change, and what stands there without one. */
const KEPT: Record<string, string> = {
  fill: 'rgb(0, 0, 0)',
  stroke: 'none',
  'stroke-width': '1px',
  'stroke-dasharray': 'none',
  'stroke-linejoin': 'miter',
  opacity: '1',
  'paint-order': 'normal',
  'image-rendering': 'auto',
}
const OF_TEXT = ['font-family', 'font-size', 'font-weight']
const MARGIN = 16

/** The chart as an SVG of its own, with a light ground whatever the page has. */
export function svgOf(chart: HTMLElement): string | null {
  const drawn = chart.querySelector('svg')
  if (!drawn) return null
  const before = chart.dataset.theme
  chart.dataset.theme = 'light'
  try {
    const copy = drawn.cloneNode(true) as SVGSVGElement
    const from = [drawn, ...drawn.querySelectorAll('*')]
    const to = [copy, ...copy.querySelectorAll('*')]
    from.forEach((element, i) => dress(to[i]!, getComputedStyle(element)))
    return framed(copy, drawn.clientWidth || Number(drawn.getAttribute('width')), drawn.clientHeight || Number(drawn.getAttribute('height')))
  } finally {
    if (before === undefined) delete chart.dataset.theme
    else chart.dataset.theme = before
  }
}

function dress(element: Element, style: CSSStyleDeclaration): void {
  for (const name of ['class', 'style', 'data-testid', 'tabindex']) element.removeAttribute(name)
  for (const [name, initial] of Object.entries(KEPT)) {
    const value = style.getPropertyValue(name)
    if (value && value !== initial) element.setAttribute(name, value)
    else element.removeAttribute(name)
  }
  if (element.tagName === 'text') for (const name of OF_TEXT) element.setAttribute(name, style.getPropertyValue(name))
}

function framed(drawn: SVGSVGElement, width: number, height: number): string {
  const box = drawn.viewBox.baseVal
  const inner = box && box.width ? [box.x, box.y, box.width, box.height] : [0, 0, width, height]
  const margin = (MARGIN * inner[2]!) / width
  drawn.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  drawn.setAttribute('width', String(width + 2 * MARGIN))
  drawn.setAttribute('height', String(height + 2 * MARGIN))
  drawn.setAttribute('viewBox', [inner[0]! - margin, inner[1]! - margin, inner[2]! + 2 * margin, inner[3]! + 2 * margin].join(' '))
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  const sides = { x: inner[0]! - margin, y: inner[1]! - margin, width: inner[2]! + 2 * margin, height: inner[3]! + 2 * margin, fill: '#ffffff' }
  for (const [name, value] of Object.entries(sides)) ground.setAttribute(name, String(value))
  drawn.prepend(ground)
  return new XMLSerializer().serializeToString(drawn)
}

/** The SVG in pixels, twice as fine as on the page. */
export async function pngOf(svg: string, scale = 2): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  try {
    const picture = new Image()
    await new Promise((resolve, reject) => {
      picture.onload = resolve
      picture.onerror = () => reject(new Error('the browser cannot draw this picture'))
      picture.src = url
    })
    const canvas = document.createElement('canvas')
    canvas.width = picture.naturalWidth * scale
    canvas.height = picture.naturalHeight * scale
    canvas.getContext('2d')!.drawImage(picture, 0, 0, canvas.width, canvas.height)
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'))
  } finally {
    URL.revokeObjectURL(url)
  }
}

export function save(content: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
