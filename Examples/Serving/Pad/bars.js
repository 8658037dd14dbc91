export const percent = share => `${(100 * share).toFixed(1)} %`;

/** A row for each class: its name, a bar, its probability. */
export class Bars {
  #rows;

  /** @param {HTMLTableElement} table */
  constructor(table, classes) {
    this.#rows = classes.map(name => {
      const row = document.createElement('tr');
      const [title, bar, text] = [document.createElement('th'), document.createElement('td'), document.createElement('td')];
      title.scope = 'row';
      title.textContent = name;
      bar.setAttribute('aria-hidden', 'true');
      const fill = bar.appendChild(document.createElement('div'));
      row.append(title, bar, text);
      return { row, fill, text };
    });
    table.tBodies[0].replaceChildren(...this.#rows.map(({ row }) => row));
    this.show(null);
  }

  /** @param {number[] | null} shares The probabilities; null for none. */
  show(shares) {
    const best = shares === null ? -1 : shares.indexOf(Math.max(...shares));
    this.#rows.forEach(({ row, fill, text }, i) => {
      row.classList.toggle('best', i === best);
      fill.style.inlineSize = `${100 * (shares?.[i] ?? 0)}%`;
      text.textContent = shares === null ? '' : percent(shares[i]);
    });
  }
}
