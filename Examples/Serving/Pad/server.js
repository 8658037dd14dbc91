// Asks the server that the page came from, wherever a proxy has put it.

const root = new URL('../', import.meta.url);
const keyName = 'mlextensions-key';
const patience = 15_000; // milliseconds

/** What went wrong, in words. `status` is that of the answer; 0 if there was none. */
export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Keeps the key until the tab is closed. */
export function useKey(key) {
  sessionStorage.setItem(keyName, key);
}

export const hasKey = () => sessionStorage.getItem(keyName) !== null;

/** @param {string} path Without the first slash. */
export const get = path => ask(path, { method: 'GET' });

/**
 * Asks a model by the Open Inference Protocol.
 * @param {{name: string, version: string}} model
 * @param {object[]} inputs Columns with name, shape, datatype and data.
 * @param {string[]} outputs The columns to answer.
 * @returns {Promise<Map<string, any[]>>} The values of each column, row after row.
 */
export async function infer(model, inputs, outputs) {
  const body = JSON.stringify({ inputs, outputs: outputs.map(name => ({ name })) });
  const answer = await ask(`v2/models/${encodeURIComponent(model.name)}/infer`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  return new Map(answer.outputs.map(output => [output.name, output.data]));
}

async function ask(path, options) {
  const key = sessionStorage.getItem(keyName);
  const headers = { ...options.headers, ...(key === null ? {} : { 'X-API-Key': key }) };
  let response;
  try {
    response = await fetch(new URL(path, root), { ...options, headers, cache: 'no-store', signal: AbortSignal.timeout(patience) });
  } catch (error) {
    throw new ServerError(0, error.name === 'TimeoutError' ? 'The server does not answer in time.' : 'The server cannot be reached.');
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok)
    throw new ServerError(response.status, answer?.error ?? `The server answers with status ${response.status}.`);
  if (answer === null)
    throw new ServerError(response.status, 'The answer is not JSON: is something else between the page and the server?');
  return answer;
}
