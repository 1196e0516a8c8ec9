// What the pages do where there is JavaScript: their figures follow the store. Without it they say what was so when
// they were loaded.
export const LIVE_SCRIPT = `'use strict';
const beat = document.querySelector('[data-beat]');
if (beat !== null) {
  const source = new EventSource('/ui/events');
  source.addEventListener('figures', (event) => {
    const figures = JSON.parse(event.data);
    for (const place of document.querySelectorAll('[data-live]')) {
      const text = figures[place.dataset.live];
      if (text === undefined) continue;
      if (place.textContent !== text) place.textContent = text;
      if (place.classList.contains('job')) place.hidden = text === '';
    }
    beat.textContent = 'live';
    beat.classList.add('on');
  });
  source.addEventListener('error', () => {
    beat.textContent = 'the server does not answer; figures are from before';
    beat.classList.remove('on');
  });
}
`;
