// What the service holds, as lists that change in place: the focus stays where it is.

import { areShares, brief, percent, readings } from "./answers.js";
import { bytesOf, showShades } from "./drawing.js";
import { byId, copy, element, pill } from "./elements.js";

const SHOWN_ROWS = 3; // as many as the service keeps of a scoring

let names = new Map(); // of deployments, by id

/** Show everything that the service said it holds. */
export function showRecords({ deployments, models, spaces, scorings, totals }) {
  names = new Map(deployments.map(({ id, name }) => [id, name]));
  for (const kind of ["deployments", "models", "spaces"]) {
    byId(`${kind}-count`).textContent = totals[kind] || "";
    byId(`no-${kind}`).hidden = totals[kind] > 0;
  }
  keyed(byId("deployments"), deployments, "deployment-record", fillDeployment);
  keyed(byId("models"), models, "record", fillModel);
  keyed(byId("spaces"), spaces, "record", fillSpace);
  byId("no-scorings").hidden = scorings.length > 0;
  keyed(byId("scorings"), scorings, "scoring", fillScoring);
}

function keyed(list, records, template, fill) {
  const wanted = new Map(records.map((record) => [String(record.id ?? record.number), record]));
  const there = new Map([...list.children].map((child) => [child.dataset.key, child]));
  for (const [key, item] of there) if (!wanted.has(key)) item.remove();
  let next = list.firstElementChild;
  for (const [key, record] of wanted) {
    const item = there.get(key) ?? byId(template).content.firstElementChild.cloneNode(true);
    item.dataset.key = key;
    if (item === next) next = next.nextElementSibling;
    else list.insertBefore(item, next);
    const part = (name) => item.querySelector(`[data-is=${name}]`);
    fill(record, part, item);
  }
}

function fillDeployment(deployment, part) {
  part("name").textContent = deployment.name;
  pill(part("state"), deployment.state);
  part("about").textContent = `${deployment.kind} · ${deployment.model || "model deleted"}`;
  part("failure").textContent = deployment.failure;
  part("failure").hidden = !deployment.failure;
  part("url").parentElement.hidden = deployment.kind !== "online";
  part("url").value = deployment.url;
  part("url").setAttribute("aria-label", `Scoring URL of ${deployment.name}`);
  part("copy").setAttribute("aria-label", `Copy the scoring URL of ${deployment.name}`);
  part("copy").onclick = () => copy(part("copy"), deployment.url, part("url"));
}

function fillModel(model, part) {
  part("name").textContent = model.name;
  part("state").textContent = model.size === null ? "no content" : size(model.size);
  part("about").textContent = `${model.type} · ${time(model.created_at)}`;
  part("id").textContent = model.id;
}

function fillSpace(space, part) {
  part("name").textContent = space.name;
  part("state").textContent = space.state;
  part("about").hidden = true;
  part("id").textContent = space.id;
}

function fillScoring(scoring, part, item) {
  const name = names.get(scoring.deployment) ?? "deleted";
  const more = scoring.rows > 1 ? ` · ${scoring.rows} rows` : "";
  part("about").textContent = `${new Date(scoring.at).toLocaleTimeString()} · ${name}${more}`;
  part("about").title = part("about").textContent;
  if (item.dataset.filled) return;
  item.dataset.filled = "yes";
  const given = part("given");
  if (scoring.digits.length) given.append(...scoring.digits.map((digit, place) => shownDigit(scoring, digit, place)));
  else given.append(shown(element("code", scoring.given), scoring, readings(scoring.answer).slice(0, SHOWN_ROWS)));
  if (!scoring.refusal) return;
  const refusal = element("p", scoring.refusal, "problem");
  refusal.title = scoring.refusal;
  given.append(refusal);
}

function shownDigit(scoring, digit, place) {
  const canvas = document.createElement("canvas");
  canvas.dataset.digit = digit;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Scored digit");
  showShades(canvas, bytesOf(digit));
  const found = readings(scoring.answer)[place];
  return shown(canvas, scoring, found ? [{ ...found, label: found.label ?? found.best }] : []);
}

/** What was sent, and the answers to it. */
function shown(input, scoring, answers) {
  const line = element("div", "", "shown");
  line.append(input);
  if (scoring.refusal) line.classList.add("refused");
  else if (answers.length > 1) {
    line.classList.add("several");
    const list = element("div", "", "answers");
    list.append(...answers.map(answerTo));
    line.append(list);
  } else line.append(...answers.map(answerTo));
  return line;
}

function answerTo({ label, best, vector, cells }) {
  const answer = element("div");
  const words = label === null ? brief(cells).slice(0, 120) : brief(label);
  answer.append(element("strong", words, words.length > 3 ? "words" : ""));
  if (vector && areShares(vector)) answer.append(element("span", percent(vector[best])));
  return answer;
}

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
}

function time(written) {
  return new Date(written).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** Draw the digits again, when the page's colours have changed. */
export function redrawDigits() {
  for (const canvas of document.querySelectorAll("canvas[data-digit]")) showShades(canvas, bytesOf(canvas.dataset.digit));
}
