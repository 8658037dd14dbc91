// Starts the page: finds the models, and says what is missing.

import { Generation } from './generate.js';
import { findModels } from './models.js';
import { Recognition } from './recognize.js';
import { hasKey, useKey } from './server.js';
import { connectTabs } from './tabs.js';

const interval = 2000; // milliseconds between two looks at the models, as long as some are missing

const problem = document.getElementById('problem');
const keyForm = document.getElementById('key-form');
const recognition = new Recognition(report);
const generation = new Generation(report, () => recognition.model);
let looking = 0;

/** Says what is wrong. A key that is missing can be given; other problems may pass. */
function report(error) {
  const needsKey = error?.status === 401;
  if (needsKey && keyForm.hidden)
    keyForm.hidden = false;
  const text = error === null || (needsKey && !hasKey()) ? '' : needsKey ? 'The server does not accept the key.' : error.message;
  if (problem.textContent !== text)
    problem.textContent = text;
  problem.hidden = text === '';
  if (error !== null && !(error.status >= 0))
    console.error(error);
  if (error !== null && !needsKey)
    lookLater();
}

function lookLater() {
  clearTimeout(looking);
  looking = setTimeout(look, interval);
}

async function look() {
  clearTimeout(looking);
  try {
    const { classifiers, generators } = await findModels();
    report(null);
    keyForm.hidden = true;
    offer('recognize', classifiers, recognition);
    offer('generate', generators, generation);
    if (classifiers.length === 0 || generators.length === 0)
      lookLater();
  } catch (error) {
    report(error);
  }
}

/** Shows a tab's models, or what to do without any. */
function offer(id, models, user) {
  const section = document.getElementById(id), select = section.querySelector('select');
  section.querySelector('.needs').hidden = models.length > 0;
  section.querySelector('.works').hidden = models.length === 0;
  section.querySelector('.model').hidden = models.length < 2;
  const described = JSON.stringify(models);
  if (section.dataset.models === described)
    return;
  section.dataset.models = described;
  const before = select.value;
  select.replaceChildren(...models.map(model => new Option(model.name)));
  const place = Math.max(0, models.findIndex(model => model.name === before));
  select.selectedIndex = place;
  select.onchange = () => user.use(models[select.selectedIndex]);
  if (models.length > 0)
    user.use(models[place]);
}

keyForm.addEventListener('submit', event => {
  event.preventDefault();
  useKey(document.getElementById('key').value);
  look();
});
connectTabs(document.querySelector('[role=tablist]'));
look();
