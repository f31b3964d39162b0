// The page: asks for what the service holds, shows it, and scores. What users stored is only ever put in as text.

import { classesOf, digitRequest, exampleRequest, pretty, rowsIn, signatureText } from "./answers.js";
import { Pad, bytesOf, showShades } from "./drawing.js";
import { byId, copy, element, pill, say } from "./elements.js";
import { redrawDigits, showRecords } from "./records.js";
import { answered, showAnswer, showNothing } from "./result.js";

const QUICK = 2000, CALM = 8000, SLOWEST = 30000; // milliseconds between questions
const PATIENCE = 15000;
const UNSETTLED = ["initializing", "updating"];
const MOST_CHOICES = 100;
const UNASKED = "No answer yet";
const NOT_DRAWN = "the model does not take one image of 28 × 28 numbers.";

const pad = new Pad(byId("pad"), { changed: padChanged, say });

let held = null; // what the service holds, as it last said
let heldText = "";
let chosen = null; // id of the deployment to score
let taken = { signature: null, drawing: null }; // what it takes
let examined = ""; // which deployment, of which time, `taken` is of
let scoring = false;

// ---- asking

async function ask(path, options = {}) {
  const response = await fetch(path, { credentials: "omit", ...options });
  const text = await response.text();
  if (response.ok) return text;
  let message = `The service answered ${response.status}.`;
  try { message = JSON.parse(text).errors.map((error) => error.message).join(" "); } catch { /* no JSON: a proxy's */ }
  throw new Error(message);
}

const deploymentPath = (id, what) => `/page/deployments/${encodeURIComponent(id)}/${what}`;

let timer = 0, pause = QUICK, asking = false;

async function refresh() {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  asking = true;
  try {
    const text = await ask("/page/state", { signal: AbortSignal.timeout(PATIENCE) });
    pause = text === heldText ? Math.min(pause * 1.5, CALM) : QUICK;
    connection("there", "Connected");
    if (text !== heldText) {
      heldText = text;
      held = JSON.parse(text);
      show();
    }
  } catch {
    pause = Math.min(pause * 2, SLOWEST);
    connection("gone", "The service does not answer");
  } finally {
    asking = false;
    if (!document.hidden) timer = setTimeout(refresh, pause);
  }
}

function connection(state, text) {
  const line = byId("connection");
  line.dataset.state = state;
  if (line.textContent !== text) line.textContent = text;
}

// ---- what the service holds

function show() {
  showRecords(held);
  const online = held.deployments.filter(({ kind }) => kind === "online");
  byId("empty").hidden = online.length > 0;
  byId("score").hidden = online.length === 0;
  byId("first-steps").textContent = firstSteps(held.spaces[0]?.id ?? "the id of a space");
  showChoices(online);
}

const firstSteps = (space) => `from importlib.resources import files
from ibm_watson_machine_learning import APIClient

archive = files("pytest_wml") / "data" / "mnist_cnn.tar.gz"  # a sample; or a model of yours
client = APIClient({
    "url": "${location.protocol === "http:" ? "https:" : location.protocol}//${location.host}",
    "username": "me", "apikey": "any", "instance_id": "openshift", "version": "5.0",
})
client.set.default_space("${space}")
spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
model = client.repository.store_model(str(archive), meta_props={
    "name": "digits", "type": "tensorflow_2.14", "software_spec": spec,
})
client.deployments.create(model["metadata"]["id"], meta_props={"name": "digits", "online": {}})`;

// ---- which deployment is scored

function showChoices(online) {
  const list = byId("chosen");
  const wanted = online.slice(0, MOST_CHOICES).map(({ id, name, state }) => [id, state === "ready" ? name : `${name} (${state})`]);
  const now = [...list.options].map((option) => [option.value, option.text]);
  if (JSON.stringify(wanted) !== JSON.stringify(now)) list.replaceChildren(...wanted.map(([id, text]) => new Option(text, id)));
  if (!online.some(({ id }) => id === chosen)) {
    chosen = (online.find(({ state }) => state !== "failed") ?? online[0])?.id ?? null;
    showNothing(UNASKED);
  }
  if (chosen === null) return;
  list.value = chosen;
  examine(online.find(({ id }) => id === chosen));
}

async function examine(deployment) {
  pill(byId("chosen-state"), deployment.state);
  problem(deployment.state === "failed" ? deployment.failure : null, "state");
  const which = `${deployment.id} ${deployment.modified_at}`;
  if (which === examined) return;
  examined = which;
  try {
    const found = JSON.parse(await ask(deploymentPath(deployment.id, "inputs")));
    if (which !== examined) return;
    taken = found;
    showInputs();
    if (UNSETTLED.includes(deployment.state)) {
      // It takes seconds; after a restart it begins when somebody asks for it.
      await ask(deploymentPath(deployment.id, "load"), { method: "POST" });
      soon();
    }
  } catch (error) {
    if (which === examined) examined = "";
    problem(error.message, "state");
  }
}

function showInputs() {
  const { signature, drawing } = taken;
  byId("signature").textContent = signature ? signatureText(signature) : "The model's inputs are not known without running it.";
  const canDraw = Boolean(drawing) || !signature;
  const [draw, json] = document.querySelectorAll("input[name=mode]");
  draw.disabled = !canDraw;
  byId("no-drawing").hidden = canDraw;
  byId("no-drawing").textContent = canDraw ? "" : `Nothing to draw: ${NOT_DRAWN}`;
  (drawing ? draw : json).checked = true;
  byId("form-of-rows").hidden = Boolean(drawing);
  byId("payload").value = pretty(exampleRequest(signature));
  if (!answered()) showNothing(byId("sureness").textContent, classesOf(signature));
  showMode();
}

const drawing = () => document.querySelector("input[name=mode]:checked").value === "draw";

function showMode() {
  byId("draw-pane").hidden = !drawing();
  byId("json-pane").hidden = drawing();
  byId("clear").hidden = !drawing();
  padChanged();
}

// ---- drawing and scoring

function padChanged() {
  const shades = pad.shades;
  byId("pad-empty").hidden = shades !== null;
  byId("seen").hidden = shades === null || !drawing();
  if (shades) showShades(byId("preview"), shades);
}

function request() {
  if (!drawing()) {
    try { return JSON.parse(byId("payload").value); } catch (error) { throw new Error(`The request is not JSON: ${error.message}`); }
  }
  const shades = pad.shades;
  if (!shades) throw new Error("Draw a digit first, or take one of those below the drawing area.");
  const shape = byId("row-shape").value.split(",").map(Number);
  return digitRequest(shades, taken.drawing ?? { shape, brightest: 1 });
}

async function score(event) {
  event.preventDefault();
  if (scoring || chosen === null) return;
  problem(null);
  scoring = true;
  const button = byId("go"), asked = chosen;
  let sent = null;
  button.setAttribute("aria-disabled", "true");
  button.textContent = "Scoring…";
  try {
    sent = request();
    const headers = { "Content-Type": "application/json" };
    const answer = await ask(deploymentPath(asked, "score"), { method: "POST", headers, body: JSON.stringify(sent) });
    if (asked !== chosen) return; // another deployment was chosen meanwhile
    showAnswer(JSON.parse(answer), rowsIn(sent), drawing());
    say(`Answer: ${byId("label").textContent} ${byId("sureness").textContent}`);
  } catch (error) {
    if (asked === chosen) showProblem(error, sent !== null);
  } finally {
    scoring = false;
    button.removeAttribute("aria-disabled");
    button.textContent = "Score";
    soon();
  }
}

function showProblem(error, sent) {
  const silent = error instanceof TypeError; // fetch's, where nobody answers
  showNothing(silent ? "No answer" : sent ? "Refused" : "Not sent", classesOf(taken.signature));
  problem(silent ? "The service does not answer." : error.message);
}

function soon() {
  pause = QUICK;
  refresh();
}

function problem(message, source = "scoring") {
  const line = byId("problem");
  // What a deployment's state says goes with the state; what a scoring said stays until the next.
  if (!message && line.dataset.source !== source && source === "state") return;
  line.dataset.source = source;
  line.hidden = !message;
  if (line.textContent !== (message ?? "")) line.textContent = message ?? "";
}

async function showSamples() {
  const samples = JSON.parse(await ask("/page/digits"));
  byId("samples").replaceChildren(...samples.map(({ label, digit }) => {
    const button = element("button");
    const canvas = document.createElement("canvas");
    canvas.dataset.digit = digit;
    button.type = "button";
    button.setAttribute("aria-label", `A real ${label}`);
    button.append(canvas);
    showShades(canvas, bytesOf(digit));
    button.onclick = () => pad.put(bytesOf(digit));
    return button;
  }));
}

// ---- begin

byId("host").textContent = location.host;
byId("form").addEventListener("submit", score);
byId("clear").onclick = () => { pad.clear(); showNothing(UNASKED, classesOf(taken.signature)); problem(null); };
byId("copy-steps").onclick = () => copy(byId("copy-steps"), byId("first-steps").textContent);
byId("chosen").addEventListener("change", (event) => {
  chosen = event.target.value;
  showNothing(UNASKED);
  problem(null);
  examine(held.deployments.find(({ id }) => id === chosen));
});
for (const mode of document.querySelectorAll("input[name=mode]")) mode.addEventListener("change", showMode);
byId("payload").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); byId("form").requestSubmit(); }
});
document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else soon(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  pad.show();
  padChanged();
  redrawDigits();
});
pad.show();
showNothing(UNASKED);
showSamples().catch(() => byId("samples").remove());
refresh();
