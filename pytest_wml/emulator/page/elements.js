// What the parts of the page are made with. Texts only ever become text, never markup.

export const byId = (id) => document.getElementById(id);

/** Tell it to screen readers. */
export const say = (text) => { byId("spoken").textContent = text; };

export function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

/** The state of a deployment. */
export function pill(part, state) {
  part.textContent = state;
  part.dataset.state = state;
}

/** Put a text on the clipboard, or select it in its field where that is refused. */
export async function copy(button, text, field) {
  let copied = true;
  try { await navigator.clipboard.writeText(text); } catch {
    copied = false;
    if (field) { field.focus(); field.select(); }
  }
  button.textContent = copied ? "Copied" : "Selected";
  say(copied ? "Copied" : "Selected, to be copied by hand");
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}
