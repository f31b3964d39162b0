// What came of a scoring: the answer to each row, and the bars of one of them.

import { areShares, brief, percent, pretty, readings } from "./answers.js";
import { byId, element } from "./elements.js";

const MOST_ROWS = 100, MOST_BARS = 50;

let rows = []; // what the answer says of each row

/** Show that there is no answer, and why; as many empty bars as the model has classes. */
export function showNothing(words, classes = 0) {
  rows = [];
  showVerdict("–", words);
  showBars(classes <= MOST_BARS ? Array(classes).fill(null) : [], null, true);
  showRows();
  byId("raw").hidden = true;
  byId("document").textContent = "";
}

/** Show an answer to so many rows; of a drawn digit the largest number is its class, also among logits. */
export function showAnswer(answer, asked, digit) {
  rows = readings(answer).map((row) => (digit ? { ...row, label: row.label ?? row.best } : row));
  byId("raw").hidden = false;
  byId("raw").open = rows.every(({ vector }) => vector === null);
  byId("document").textContent = pretty(answer);
  const missing = Math.max(0, asked - rows.length);
  showRows(missing ? `The answer to ${missing} more rows is not shown here.` : "");
  choose(0);
}

/** Whether an answer is shown. */
export const answered = () => !byId("raw").hidden;

function choose(row) {
  const { label, vector, best } = rows[row] ?? { label: null, vector: null, best: null };
  const shares = vector !== null && areShares(vector);
  const sure = shares ? percent(vector[best]) : "";
  const which = rows.length > 1 ? `row ${row + 1} of ${rows.length}` : "";
  showVerdict(label === null ? "–" : brief(label), [sure, which].filter(Boolean).join(" · "));
  showBars(vector ?? [], best, shares);
  [...byId("rows").children].forEach((item, place) => item.firstChild.setAttribute("aria-pressed", String(place === row)));
}

function showVerdict(label, words) {
  byId("label").textContent = label;
  byId("label").className = label.length > 4 ? "long" : "";
  byId("sureness").textContent = words;
}

function showRows(more = "") {
  const several = rows.length > 1;
  const listed = several ? rows.slice(0, MOST_ROWS) : [];
  const hidden = rows.length - listed.length;
  byId("rows").hidden = !several;
  byId("rows").replaceChildren(...listed.map(rowButton));
  byId("more-rows").textContent = several && hidden ? `${hidden} more rows are in the answer below.` : more;
  byId("more-rows").hidden = !byId("more-rows").textContent;
}

function rowButton({ label, vector, best, cells }, row) {
  const item = element("li"), button = element("button");
  const words = label === null ? brief(cells).slice(0, 80) : brief(label);
  button.type = "button";
  button.onclick = () => choose(row);
  button.append(element("span", `row ${row + 1}`), element("strong", words));
  if (vector && areShares(vector)) button.append(element("span", percent(vector[best])));
  item.append(button);
  return item;
}

/** A bar for each class; of very many classes the likeliest. */
function showBars(values, best, shares) {
  const order = values.map((_, place) => place);
  const places = order.length > MOST_BARS ? order.sort((one, other) => values[other] - values[one]).slice(0, MOST_BARS) : order;
  const least = shares ? 0 : Math.min(0, ...values), most = shares ? 1 : Math.max(0, ...values);
  const list = byId("bars");
  if (list.children.length !== places.length) list.replaceChildren(...places.map(bar));
  places.forEach((place, number) => {
    const value = values[place], line = list.children[number];
    line.className = place === best ? "best" : "";
    line.querySelector(".name").textContent = String(place);
    line.querySelector(".value").textContent = value === null ? "" : shares ? percent(value) : brief(value);
    line.querySelector(".fill").style.width = value === null ? "0" : `${(100 * (value - least)) / (most - least || 1)}%`;
  });
  byId("more-bars").hidden = places.length === values.length;
  byId("more-bars").textContent = `The likeliest ${places.length} of ${values.length} classes.`;
}

function bar() {
  const line = element("li");
  const track = element("span", "", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(element("span", "", "fill"));
  line.append(element("span", "", "name"), track, element("span", "", "value"));
  return line;
}
