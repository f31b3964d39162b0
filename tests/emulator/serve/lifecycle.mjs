// The way of a model through Node: node lifecycle.mjs cpd|cloud ARCHIVE DIGITS
// Takes where to go from the environment, as `pytest-wml serve` says it. As `cloud`, through `https` with a look-up
// of its own, since fetch has none. Prints the predictions, and the status of the deleted model, as JSON.
import https from "node:https";
import { readFileSync } from "node:fs";

const [kind, archive, digits] = process.argv.slice(2);
const { WML_URL, WML_USERNAME, WML_APIKEY, WML_SPACE_ID } = process.env;
const cloud = kind === "cloud";
const ML = cloud ? "https://us-south.ml.cloud.ibm.com" : WML_URL;
const PLATFORM = cloud ? "https://api.dataplatform.cloud.ibm.com" : WML_URL;
const query = `version=2026-01-01&space_id=${WML_SPACE_ID}`;
const port = new URL(WML_URL).port;
const lookup = (host, options, found) =>
  options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);
const agent = new https.Agent({ keepAlive: true, lookup });

function led(url, { method = "GET", headers = {}, body }) {
  const { host, hostname, pathname, search } = new URL(url);
  const options = { agent, host: hostname, port, path: pathname + search, method, headers: { ...headers, host } };
  return new Promise((resolve, reject) => {
    const request = https.request(options, async (response) => {
      let text = "";
      for await (const piece of response) text += piece;
      resolve({ status: response.statusCode, json: async () => JSON.parse(text), text: async () => text });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const ask = cloud ? led : fetch;
let token = null;
async function send(method, url, body, type = "application/json") {
  const headers = { "Content-Type": type, ...(token && { Authorization: `Bearer ${token}` }) };
  const sent = body === undefined || type !== "application/json" ? body : JSON.stringify(body);
  const answer = await ask(url, { method, headers, body: sent });
  if (answer.status >= 400 && method !== "GET") throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

const login = cloud
  ? await send("POST", "https://iam.cloud.ibm.com/identity/token",
      "grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=any", "application/x-www-form-urlencoded")
  : await send("POST", `${WML_URL}/icp4d-api/v1/authorize`, { username: WML_USERNAME, api_key: WML_APIKEY });
const given = await login.json();
token = given.access_token ?? given.token;

const space = (await (await send("GET", `${PLATFORM}/v2/spaces/${WML_SPACE_ID}`)).json()).metadata.id;
const draft = { name: "digits", type: "tensorflow_2.14", software_spec: { name: "runtime-24.1-py3.11" }, space_id: space };
const model = (await (await send("POST", `${ML}/ml/v4/models?${query}`, draft)).json()).metadata.id;
await send("PUT", `${ML}/ml/v4/models/${model}/content?${query}&content_format=native`, readFileSync(archive),
  "application/octet-stream");
const deploying = { name: "digits", online: {}, asset: { id: model }, space_id: space };
const deployment = (await (await send("POST", `${ML}/ml/v4/deployments?${query}`, deploying)).json()).metadata.id;
let status = { state: "initializing" };
while (status.state === "initializing") {
  await new Promise((resolve) => setTimeout(resolve, 50));
  status = (await (await send("GET", `${ML}/ml/v4/deployments/${deployment}?${query}`)).json()).entity.status;
}
const scored = await send("POST", `${status.online_url.url}?version=2026-01-01`, JSON.parse(readFileSync(digits)));
const { predictions } = await scored.json();
await send("DELETE", `${ML}/ml/v4/deployments/${deployment}?${query}`);
await send("DELETE", `${ML}/ml/v4/models/${model}?${query}`);
const left = (await send("GET", `${ML}/ml/v4/models/${model}?${query}`)).status;
console.log(JSON.stringify({ predictions, left }));
agent.destroy();
