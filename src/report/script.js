// Switches methods on and off at a legend, and shows the value under the pointer. Without it the page is whole all the same.
'use strict';
const hint = document.createElement('div');
hint.id = 'hint';
hint.hidden = true;
document.body.append(hint);

// On paper nothing can be unfolded.
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(details => { details.open = true; }));

// A method that is switched off is so in every figure of its experiment.
function toggle(entry) {
  const name = entry.dataset.series, section = entry.closest('section');
  const dim = !entry.classList.contains('dim');
  for (const other of section.querySelectorAll('svg .entry'))
    if (other.dataset.series === name) {
      other.classList.toggle('dim', dim);
      other.setAttribute('aria-pressed', String(!dim));
    }
  for (const series of section.querySelectorAll('svg .series'))
    if (series.dataset.series === name) series.classList.toggle('off', dim);
}

for (const svg of document.querySelectorAll('figure svg')) {
  const names = new Set([...svg.querySelectorAll('.series')].map(series => series.dataset.series));
  for (const entry of svg.querySelectorAll('.entry')) {
    if (!names.has(entry.dataset.series)) continue;
    entry.setAttribute('role', 'button');
    entry.setAttribute('tabindex', '0');
    entry.setAttribute('aria-pressed', 'true');
    entry.addEventListener('click', () => toggle(entry));
    entry.addEventListener('keydown', event => {
      if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); toggle(entry); }
    });
  }
  const series = [...svg.querySelectorAll('.series[data-points]')].map(group => [group, JSON.parse(group.dataset.points)]);
  svg.addEventListener('pointermove', event => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let nearest = null, distance = 60;
    for (const [group, points] of series)
      if (!group.classList.contains('off'))
        for (const [x, y, text] of points) {
          const d = Math.hypot(x - at.x, y - at.y);
          if (d < distance) { distance = d; nearest = text; }
        }
    hint.hidden = nearest === null;
    hint.textContent = nearest ?? '';
    hint.style.left = Math.min(event.clientX + 12, innerWidth - 200) + 'px';
    hint.style.top = event.clientY + 16 + 'px';
  });
  svg.addEventListener('pointerleave', () => { hint.hidden = true; });
}
