/** Tabs as the ARIA Authoring Practices want them: arrow keys, Home and End go from one to the other. */
export function connectTabs(list) {
  const tabs = [...list.querySelectorAll('[role=tab]')];

  function select(chosen) {
    for (const tab of tabs) {
      tab.setAttribute('aria-selected', `${tab === chosen}`);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute('aria-controls')).hidden = tab !== chosen;
    }
    history.replaceState(null, '', `#${chosen.getAttribute('aria-controls')}`);
  }

  tabs.forEach((tab, i) => {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', event => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: -1 }[event.key];
      if (to === undefined)
        return;
      const next = tabs.at(to % tabs.length);
      next.focus();
      select(next);
      event.preventDefault();
    });
  });
  const asked = tabs.find(tab => `#${tab.getAttribute('aria-controls')}` === location.hash);
  if (asked)
    select(asked);
}
