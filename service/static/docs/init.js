SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  presets: [SwaggerUIBundle.presets.apis],
  tryItOutEnabled: true,
  displayRequestDuration: true,
  deepLinking: true,
  // The badge would be asked from somebody else's server.
  validatorUrl: null,
})
