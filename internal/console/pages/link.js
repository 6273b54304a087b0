// Takes the secret of a link out of the fragment of the address, into the form.
"use strict";

const field = document.getElementById("link");
const label = document.querySelector("label[for=link]");

function take() {
  const secret = decodeURIComponent(location.hash.slice(1));
  if (!secret) {
    return;
  }

  field.value = secret;
  field.hidden = true;
  label.hidden = true;

  // Out of the address, so that neither the history nor a copied address has it.
  history.replaceState(null, "", location.pathname);

  // A form that asks for nothing else needs nobody to press its button.
  if ("continue" in field.form.dataset) {
    field.form.requestSubmit();
  }
}

take();
addEventListener("hashchange", take);
