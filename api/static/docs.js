// @ts-check
// Swagger UI over /openapi.json. With api.keys set the description needs a key, and a page's own
// requests carry none: it is asked for, and kept only as long as the page is open.

const place = document.querySelector("#docs");

/** Show the description, or ask for what is missing to get it. */
async function open(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const answer = await fetch("/openapi.json", { headers });
  if (answer.status === 401) {
    ask(key ? "That is no key." : "");
  } else if (answer.ok) {
    show(await answer.json(), key);
  } else {
    place.textContent = `/openapi.json: ${answer.status} ${answer.statusText}; reload the page.`;
  }
}

function ask(refusal) {
  const form = document.createElement("form");
  form.innerHTML = '<label>Key <input type="password" autocomplete="off" required></label> <button>Open</button> <output></output>';
  form.querySelector("output").textContent = refusal;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open(form.querySelector("input").value);
  });
  place.replaceChildren(form);
  form.querySelector("input").focus();
}

function show(spec, key) {
  const ui = /** @type {any} */ (window).SwaggerUIBundle({
    spec,
    domNode: place,
    deepLinking: true,
    // Without this it asks a public service whether the description is valid.
    validatorUrl: null,
    onComplete: () => key && ui.preauthorizeApiKey("key", key),
  });
}

open("");
