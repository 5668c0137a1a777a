/* Keys for the inbox: j and k move, a accepts, x rejects. They can be switched off, because a
   speech program may press single keys by itself (WCAG 2.1.4). Without this file everything works
   by its buttons. */
(() => {
  const SWITCH = 'newsletter-desk-keys';
  const results = () => document.getElementById('listing-results');
  const rows = () => [...document.querySelectorAll('.desk-inbox tbody tr')];
  let current = -1;

  const enabled = () => {
    try {
      return localStorage.getItem(SWITCH) !== 'off';
    } catch {
      return true;
    }
  };

  const showSwitch = () => {
    const line = document.querySelector('[data-desk-keys]');
    if (!line) return;
    line.hidden = false;
    const button = line.querySelector('[data-desk-keys-toggle]');
    button.textContent = enabled() ? button.dataset.off : button.dataset.on;
  };

  const go = (to) => {
    const all = rows();
    if (!all.length) return;
    all[current]?.classList.remove('desk-row--current');
    current = Math.max(0, Math.min(to, all.length - 1));
    all[current].classList.add('desk-row--current');
    all[current].querySelector('a')?.focus({ preventScroll: true });
    all[current].scrollIntoView({ block: 'nearest' });
  };

  const press = (name) => {
    const row = rows()[current];
    if (!row) return;
    try {
      sessionStorage.setItem('newsletter-desk-row', String(current));
    } catch {
      /* The place in the list is a convenience. */
    }
    row.querySelector(`.desk-decision button[name="${name}"]`)?.click();
  };

  document.addEventListener('keydown', (event) => {
    if (!document.querySelector('.desk-inbox') || !enabled()) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, textarea, select, [contenteditable], [role="dialog"]')) return;
    const act = {
      j: () => go(current + 1),
      k: () => go(current - 1),
      a: () => press('accepted'),
      x: () => press('rejected'),
      z: () => document.querySelector('[data-desk-undo]')?.click(),
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  /* A digest has one lead: ticking another takes it from the first. */
  document.addEventListener('change', (event) => {
    if (!/^items-\d+-is_lead$/.test(event.target.name) || !event.target.checked) return;
    document.querySelectorAll('input[name^="items-"][name$="-is_lead"]').forEach((box) => {
      if (box !== event.target) box.checked = false;
    });
  });

  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-desk-keys-toggle]')) return;
    try {
      localStorage.setItem(SWITCH, enabled() ? 'off' : 'on');
    } catch {
      /* Private windows may refuse; the keys then stay on. */
    }
    showSwitch();
  });

  /* A list of feeds to take in: all of its boxes at once. */
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-desk-tick]');
    if (!button) return;
    button
      .closest('fieldset')
      .querySelectorAll('input[type="checkbox"]')
      .forEach((box) => {
        box.checked = button.dataset.deskTick === 'all';
      });
  });

  /* A theme's reasons: a tap or a key opens them; a mouse only has to rest there. Escape closes. */
  document.addEventListener('pointerover', (event) => {
    const chip = event.target.closest?.('[data-desk-chip]');
    if (event.pointerType !== 'mouse') return;
    document.querySelectorAll('[data-desk-chip][data-hovered]').forEach((one) => {
      if (one === chip) return;
      one.open = false;
      delete one.dataset.hovered;
    });
    if (chip && !chip.open) {
      chip.open = true;
      chip.dataset.hovered = '';
    }
  });
  document.addEventListener('click', (event) => {
    const chip = event.target.closest('[data-desk-chip]');
    document.querySelectorAll('[data-desk-chip][open]').forEach((one) => {
      if (one !== chip) one.open = false;
    });
    if (chip && 'hovered' in chip.dataset && event.target.closest('summary')) {
      event.preventDefault(); // it is open already: a click keeps it so
      delete chip.dataset.hovered;
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    document.querySelectorAll('[data-desk-chip][open]').forEach((one) => {
      one.open = false;
      delete one.dataset.hovered;
      if (one.contains(document.activeElement)) one.querySelector('summary').focus();
    });
  });

  /* A theme's words: what they would change, a moment after they were typed. */
  const look = async (button) => {
    const form = button.form;
    const place = form.querySelector('[data-desk-told]');
    const data = new FormData(form);
    data.set('look', '1');
    looking?.abort();
    looking = new AbortController();
    try {
      const answer = await fetch(form.getAttribute('action'), {
        method: 'POST',
        body: data,
        headers: { 'X-Requested-With': 'fetch' },
        signal: looking.signal,
      });
      if (answer.ok) place.innerHTML = await answer.text();
    } catch {
      /* Overtaken by the next, or no connection: the button is still there. */
    }
  };
  let looking = null;
  let pause = 0;
  document.addEventListener('input', (event) => {
    const button = event.target.form?.querySelector('[data-desk-look]');
    if (!button || !/^(name|name_en|keywords|exclusions|feed_categories)$/.test(event.target.name)) return;
    clearTimeout(pause);
    pause = setTimeout(() => look(button), 700);
  });
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-desk-look]');
    if (!button) return;
    event.preventDefault();
    look(button);
  });

  document.addEventListener('DOMContentLoaded', () => {
    showSwitch();
    document.querySelectorAll('[data-desk-ticks]').forEach((line) => {
      line.hidden = false;
    });
    let kept = null;
    try {
      kept = sessionStorage.getItem('newsletter-desk-row');
      sessionStorage.removeItem('newsletter-desk-row');
    } catch {
      /* As above. */
    }
    if (kept !== null) go(Number(kept));
    if (results()) new MutationObserver(showSwitch).observe(results(), { childList: true });
  });
})();
