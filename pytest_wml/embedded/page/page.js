// The page: asks for what the service holds, shows it, and scores. What users stored is only ever put in as text.

import { areShares, brief, digitRequest, exampleRequest, percent, pretty, reading, signatureText } from "./answers.js";
import { Pad, bytesOf, showShades } from "./drawing.js";
import { byId, copy, element, pill, say } from "./elements.js";
import { redrawDigits, showRecords } from "./records.js";

const QUICK = 2000, CALM = 8000, SLOWEST = 30000; // milliseconds between questions
const PATIENCE = 15000;
const UNSETTLED = ["initializing", "updating"];
const MOST_CHOICES = 100;

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
    showResult(null);
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
  (drawing ? draw : json).checked = true;
  byId("form-of-rows").hidden = Boolean(drawing);
  byId("payload").value = pretty(exampleRequest(signature));
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
    try { return JSON.parse(byId("payload").value); } catch (error) { throw new Error(`The request is no JSON: ${error.message}`); }
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
  const button = byId("go");
  button.setAttribute("aria-disabled", "true");
  button.textContent = "Scoring…";
  try {
    const body = JSON.stringify(request());
    const headers = { "Content-Type": "application/json" };
    showResult(JSON.parse(await ask(deploymentPath(chosen, "score"), { method: "POST", headers, body })));
    say(`Answer: ${byId("label").textContent} ${byId("sureness").textContent}`);
  } catch (error) {
    showResult(null);
    problem(error instanceof TypeError ? "The service does not answer." : error.message);
  } finally {
    scoring = false;
    button.removeAttribute("aria-disabled");
    button.textContent = "Score";
    soon();
  }
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

function showResult(answer) {
  const { label, vector, best } = reading(answer);
  const text = label === null ? "–" : brief(label);
  byId("label").textContent = text;
  byId("label").className = text.length > 4 ? "long" : "";
  const shares = vector !== null && areShares(vector);
  byId("sureness").textContent = answer === null ? "No answer yet" : shares ? percent(vector[best]) : "";
  showBars(vector, best, shares);
  byId("raw").hidden = answer === null;
  byId("raw").open = answer !== null && vector === null;
  byId("document").textContent = answer === null ? "" : pretty(answer);
}

function showBars(vector, best, shares) {
  const values = vector ?? (taken.drawing || answerless() ? Array(10).fill(null) : []);
  const least = shares ? 0 : Math.min(0, ...values), most = shares ? 1 : Math.max(0, ...values);
  const list = byId("bars");
  if (list.children.length !== values.length) list.replaceChildren(...values.map((_, place) => bar(place)));
  values.forEach((value, place) => {
    const line = list.children[place];
    line.className = place === best ? "best" : "";
    line.querySelector(".value").textContent = value === null ? "" : shares ? percent(value) : brief(value);
    line.querySelector(".fill").style.width = value === null ? "0" : `${(100 * (value - least)) / (most - least || 1)}%`;
  });
}

const answerless = () => byId("document").textContent === "" && drawing();

function bar(place) {
  const line = element("li");
  const track = element("span", "", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "", "fill"));
  line.append(element("span", String(place), "name"), track, element("span", "", "value"));
  return line;
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
byId("clear").onclick = () => { pad.clear(); showResult(null); problem(null); };
byId("copy-steps").onclick = () => copy(byId("copy-steps"), byId("first-steps").textContent);
byId("chosen").addEventListener("change", (event) => {
  chosen = event.target.value;
  showResult(null);
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
showResult(null);
showSamples().catch(() => byId("samples").remove());
refresh();
