// What is sent to a model, and what its answer says.

const LONGEST_VECTOR = 50; // of numbers that are no shares: an image has more
const CUT = "…"; // what the service puts in place of what it leaves out
const LARGEST_EXAMPLE = 4096;
const LABELS = /class|label|predict/i;

/** What the answer to one row says: a label, and a vector where there is one; `best` is the place of its largest number. */
export function reading(answer, place = 0) {
  const found = { label: null, vector: null };
  const predictions = Array.isArray(answer?.predictions) ? answer.predictions : [];
  const scalars = [];
  for (const { id, fields, values } of predictions.filter((each) => each && typeof each === "object")) {
    const columns = Array.isArray(fields) ? fields : null;
    cellsOf(Array.isArray(values) ? values[place] : undefined, columns).forEach((cell, column) => {
      if (isVector(cell)) found.vector ??= cell;
      else if (["number", "string", "boolean"].includes(typeof cell)) {
        scalars.push({ value: cell, named: LABELS.test(columns ? columns[column] : id) });
      }
    });
  }
  const best = found.vector ? found.vector.indexOf(Math.max(...found.vector)) : null;
  // The largest of numbers that are no shares need not be a class: a regression has several outputs too.
  const likeliest = found.vector && areShares(found.vector) ? best : null;
  found.label = (scalars.find((scalar) => scalar.named) ?? scalars[0])?.value ?? likeliest;
  found.best = best;
  return found;
}

/** What the answer says of every row. */
export function readings(answer) {
  const lists = (Array.isArray(answer?.predictions) ? answer.predictions : [])
    .map((each) => (Array.isArray(each?.values) ? each.values : []))
    .map((values) => (values.length > 1 && values.at(-1) === CUT ? values.slice(0, -1) : values));
  const length = Math.max(1, ...lists.map((values) => values.length));
  return Array.from({ length }, (_, row) => {
    const cells = lists.map((values) => values[row]);
    return { ...reading(answer, row), cells: cells.length === 1 ? cells[0] ?? null : cells };
  });
}

/** How many rows a request has. */
export function rowsIn(request) {
  const values = request?.input_data?.[0]?.values;
  return Array.isArray(values) ? values.length : 1;
}

/** How many classes a signature's answer has; 0 where it does not say. */
export function classesOf(signature) {
  const shares = (signature?.outputs ?? []).find(({ dtype, shape }) => dtype.startsWith("float") && shape?.length === 2 && shape[1] > 1);
  return shares?.shape[1] ?? 0;
}

function cellsOf(row, columns) {
  if (!Array.isArray(row) || (isVector(row) && !columns)) return [row];
  return columns || row.length === 1 ? row : []; // more without names: an image or the like
}

function isVector(value) {
  return Array.isArray(value) && value.length > 1 && value.every(Number.isFinite) && (value.length <= LONGEST_VECTOR || areShares(value));
}

/** Whether numbers can be shares of a whole. */
export function areShares(vector) {
  return vector.every((value) => value >= 0 && value <= 1) && Math.abs(vector.reduce((sum, value) => sum + value, 0) - 1) < 0.01;
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** A number or text, short. */
export function brief(value) {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(5)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The request that scores an image of a digit: 784 shades from 0 to 255. */
export function digitRequest(shades, { shape, brightest, name }) {
  const whole = Number.isInteger(brightest) && brightest > 1;
  let row = Array.from(shades, (shade) => (whole ? shade : (shade / 255) * brightest));
  for (const length of shape.slice(1).reverse()) row = chunks(row, length);
  return { input_data: [{ ...(name ? { id: name } : {}), values: [row] }] };
}

function chunks(values, length) {
  return Array.from({ length: values.length / length }, (_, place) => values.slice(place * length, (place + 1) * length));
}

/** A request to start from: one row of zeros where the signature is known. */
export function exampleRequest(signature) {
  const inputs = signature?.inputs ?? [];
  if (!inputs.length) return { input_data: [{ values: [[]] }] };
  return { input_data: inputs.map((input) => ({ id: input.name, values: zeros(input) })) };
}

function zeros({ dtype, shape }) {
  const lengths = (shape ?? []).map((length) => length ?? 1);
  if (!shape || lengths.reduce((product, length) => product * length, 1) > LARGEST_EXAMPLE) return [];
  const zero = dtype === "string" ? "" : dtype === "bool" ? false : 0;
  return lengths.reduceRight((inner, length) => Array.from({ length }, () => structuredClone(inner)), zero);
}

/** A signature in a line. */
export function signatureText({ inputs, outputs }) {
  const told = ({ name, dtype, shape }) => `${name}: ${dtype} ${shape ? `[${shape.map((length) => length ?? "?").join(", ")}]` : "of any rank"}`;
  return `${inputs.map(told).join(", ")} → ${outputs.map(told).join(", ")}`;
}

/** JSON with short lists in one line. */
export function pretty(value) {
  return JSON.stringify(value, null, 2).replace(/\[[^[\]{}]*\]/g, (list) => {
    const line = list.replace(/\s*\n\s*/g, " ").replace("[ ", "[").replace(" ]", "]");
    return line.length < 2000 ? line : list;
  });
}
