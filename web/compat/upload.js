// SPDX-License-Identifier: Apache-2.0
// Sends the chosen picture and shows what the server says of it.

const form = document.getElementById("uploadForm");
const file = document.getElementById("file");
const image = document.getElementById("uploadedImage");
const result = document.getElementById("result");
const button = form.querySelector("button");

function showPreview() {
  if (image.src) URL.revokeObjectURL(image.src);
  const chosen = file.files[0];
  image.hidden = !chosen?.type.startsWith("image/");
  if (image.hidden) image.removeAttribute("src");
  else image.src = URL.createObjectURL(chosen);
}

/** The server answers in JSON, but the rate limit with a page of HTML: its paragraph says which. */
async function textOf(response) {
  const body = await response.text();
  if (response.headers.get("Content-Type")?.startsWith("application/json")) return JSON.parse(body).alert;
  const page = new DOMParser().parseFromString(body, "text/html");
  const limit = page.querySelector("p")?.textContent ?? "";
  if (response.status === 429) return `Too many requests (${limit}). Please try again later.`;
  return `An error occurred: ${response.status} ${limit}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  result.textContent = "…";
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
    result.textContent = await textOf(response);
  } catch (error) {
    result.textContent = `An error occurred: ${error.message}`;
  } finally {
    button.disabled = false;
  }
});

file.addEventListener("change", showPreview);
