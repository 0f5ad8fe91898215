// SPDX-License-Identifier: Apache-2.0
// Shows the description beside this page. All addresses are relative, so that it works under any prefix.

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // nothing leaves this server
  onComplete: () => {
    document.title = `${ui.specSelectors.info().get("title")} - Swagger UI`;
  },
});
