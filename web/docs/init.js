// The key of this tab, as the page asks for it; shown once the service has asked for one.
const KEPT = 'shapserve-key'
const form = document.getElementById('key-form')
const field = document.getElementById('key')
let key = kept()

form.addEventListener('submit', (event) => {
  event.preventDefault()
  key = field.value.trim()
  keep()
  say(key ? 'Execute again: the key is sent with it.' : 'No key is sent.')
})

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  presets: [SwaggerUIBundle.presets.apis],
  tryItOutEnabled: true,
  displayRequestDuration: true,
  deepLinking: true,
  // The badge would be asked from somebody else's server.
  validatorUrl: null,
  // What is shown to be copied has no key in it.
  showMutatedRequest: false,
  requestInterceptor: (request) => {
    if (key && sameOrigin(request.url)) request.headers.Authorization ??= `Bearer ${key}`
    return request
  },
  responseInterceptor: (response) => {
    if (response.status === 401) ask()
    return response
  },
})

function ask() {
  form.hidden = false
  say(key ? 'The service does not know this key.' : '')
  field.focus()
}

function say(text) {
  document.getElementById('key-said').textContent = text
}

function sameOrigin(url) {
  return new URL(url, location.href).origin === location.origin
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT) ?? ''
  } catch {
    return ''
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, key)
  } catch {
    // Without storage, the key lasts as long as the page.
  }
}
