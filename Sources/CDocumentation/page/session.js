// Who the page's visitor is signed in as. The token lives in this variable and nowhere else: reload the page and it is gone.

import { copyButton, element, fill } from "./dom.js";

const loginPath = "/api/users/login";
const listeners = new Map();
let current = null;

/** The access token; null for a visitor who is not signed in. */
export function accessToken() {
  return current?.token ?? null;
}

/** Calls `listener` now, and whenever somebody signs in or out while `element` is on the page. */
export function onSession(element, listener) {
  listeners.set(element, listener);
  listener(current);
}

/** Signs in with the response of a login, wherever it was made. */
export function takeSession(email, session) {
  const expires = session.expiresIn && new Date(Date.now() + session.expiresIn * 1000);
  change({ token: session.accessToken, name: email, expires });
}

function change(session) {
  current = session;
  for (const [element, listener] of listeners) {
    if (element.isConnected) listener(session);
    else listeners.delete(element);
  }
}

// MARK: The dialog

/** Makes a button open the dialog of signing in and out, and say who is signed in. */
export function installSession(button) {
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "session-title" });
  document.body.append(dialog);
  button.addEventListener("click", () => {
    fill(dialog, current ? signedIn(dialog) : signInForm(dialog));
    dialog.showModal();
  });
  // A click on the backdrop is one on the dialog itself, outside of what is in it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  onSession(button, (session) => {
    button.textContent = session ? session.name : "Sign in";
    button.classList.toggle("signed-in", session !== null);
  });
}

function title(text, dialog) {
  const close = element("button", { type: "button", class: "button small", onclick: () => dialog.close() }, "Close");
  return element("div", { class: "dialog-head" }, element("h2", { id: "session-title" }, text), close);
}

function signInForm(dialog) {
  const message = element("p", { class: "mistake", role: "alert" });
  const submit = element("button", { class: "button primary" }, "Sign in");
  const form = element("form", { class: "fields" },
    field("Email", { type: "email", name: "email", autocomplete: "username", required: true }),
    field("Password", { type: "password", name: "password", autocomplete: "current-password", required: true }),
    message, submit);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const mistake = await signIn(form.elements.email.value, form.elements.password.value);
    submit.disabled = false;
    message.textContent = mistake ?? "";
    if (!mistake) dialog.close();
  });
  return [
    title("Sign in", dialog),
    element("p", { class: "quiet" }, "The access token is kept in the memory of this page only, and sent with requests that take one."),
    form, tokenForm(dialog),
  ];
}

function tokenForm(dialog) {
  const form = element("form", { class: "fields" },
    field("Or paste an access token", { name: "token", autocomplete: "off", spellcheck: "false", required: true }),
    element("button", { class: "button" }, "Use this token"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change({ token: form.elements.token.value.trim().replace(/^Bearer /i, ""), name: "Own token" });
    dialog.close();
  });
  return form;
}

function signedIn(dialog) {
  const forget = () => {
    change(null);
    dialog.close();
  };
  return [
    title(current.name, dialog),
    element("p", {}, current.expires ? `The access token is good until ${current.expires.toLocaleTimeString()}.` : "With a token of your own."),
    element("div", { class: "buttons" },
      copyButton(() => current.token, "Copy the access token"),
      element("button", { type: "button", class: "button small", onclick: forget }, "Forget it")),
  ];
}

function field(label, attributes) {
  return element("label", { class: "field" }, element("span", { class: "field-name" }, label), element("input", attributes));
}

/** Signs in. Gives the sentence to show when that fails. */
async function signIn(email, password) {
  try {
    const response = await fetch(loginPath, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ email, password }), credentials: "omit",
    });
    const answer = await response.json();
    if (!response.ok) return answer.error ?? `The answer was ${response.status}.`;
    takeSession(email, answer);
    return null;
  } catch {
    return "There was no answer.";
  }
}
