// Finds the models that the pad can use, by what the server says of their columns.

import { get } from './server.js';
import { side } from './mnist.js';

const pixels = side * side;
const mostClasses = 64;

/** @returns {Promise<{classifiers: object[], generators: object[]}>} */
export async function findModels() {
  const { models } = await get('');
  const names = [...new Set(models.map(model => model.name))];
  const found = (await Promise.all(names.map(describe))).filter(model => model !== null);
  return { classifiers: found.map(asClassifier).filter(Boolean), generators: found.map(asGenerator).filter(Boolean) };
}

/** A model that goes away meanwhile is none. */
const describe = name => get(`v2/models/${encodeURIComponent(name)}`).catch(error => {
  if (error.status === 404)
    return null;
  throw error;
});

/** Reads an image, answers a score for each class. */
function asClassifier({ name, inputs, outputs }) {
  const scores = outputs.find(output => isVector(output) && lengthOf(output) > 1 && lengthOf(output) <= mostClasses);
  if (inputs.length !== 1 || !isFloat(inputs[0]) || lengthOf(inputs[0]) !== pixels || !scores)
    return null;
  return { name, input: inputs[0], output: scores, classes: namesOf(scores) ?? namesOf(outputs.find(output => namesOf(output)?.length === lengthOf(scores))) ?? numbers(lengthOf(scores)) };
}

/** Reads noise and one of some known classes, answers an image. */
function asGenerator({ name, inputs, outputs }) {
  const noise = inputs.find(isVector), label = inputs.find(input => input.shape.length === 1);
  const image = outputs.find(output => isFloat(output) && lengthOf(output) === pixels);
  if (inputs.length !== 2 || !noise || !namesOf(label) || !image)
    return null;
  return { name, noise, label, output: image, classes: namesOf(label) };
}

const isFloat = column => column.datatype === 'FP32';
const isVector = column => isFloat(column) && column.shape.length === 2;
const lengthOf = column => column.shape.slice(1).reduce((product, size) => product * size, 1);
const namesOf = column => column?.parameters?.names;
const numbers = count => Array.from({ length: count }, (_, i) => `${i}`);
