// What the pages do where there is JavaScript: their figures follow the store while they are looked at. Without it they
// say what was so when they were loaded. A page that nobody looks at listens to nothing: a browser has six connections
// to a server, and would have none left for the seventh page.
export const LIVE_SCRIPT = `'use strict';
const beat = document.querySelector('[data-beat]');
let source;
function show(figures) {
  for (const place of document.querySelectorAll('[data-live]')) {
    const text = figures[place.dataset.live];
    if (text === undefined) continue;
    if (place.textContent !== text) place.textContent = text;
    if (place.classList.contains('job')) place.hidden = text === '';
  }
}
function say(text, isOn) {
  beat.textContent = text;
  beat.classList.toggle('on', isOn);
}
function follow() {
  source?.close();
  source = undefined;
  if (document.hidden) return say('not followed while it is not looked at', false);
  source = new EventSource('/ui/events');
  source.addEventListener('figures', (event) => {
    show(JSON.parse(event.data));
    say('live', true);
  });
  source.addEventListener('error', () => say('the server does not answer; figures are from before', false));
}
if (beat !== null) {
  document.addEventListener('visibilitychange', follow);
  follow();
}
`;
