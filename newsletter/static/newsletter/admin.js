/* What the desk's screens add to Wagtail's. Without this file everything works by its buttons. */
(() => {
  /* A digest has one lead: ticking another takes it from the first. */
  document.addEventListener('change', (event) => {
    if (!/^items-\d+-is_lead$/.test(event.target.name) || !event.target.checked) return;
    document.querySelectorAll('input[name^="items-"][name$="-is_lead"]').forEach((box) => {
      if (box !== event.target) box.checked = false;
    });
  });

  /* Wagtail's search runs while one types, and once more when the field is left: the first click
     after a search, such as a tick, was lost with the rows it stood in. */
  document.addEventListener(
    'change',
    (event) => {
      const ours = document.querySelector('[data-bulk-action-footer="ARTICLE"], [data-bulk-action-footer="FEED"]');
      if (!ours || !event.target.matches('[data-search-form] input[name="q"]')) return;
      const found = new URLSearchParams(window.location.search).get('q') ?? '';
      if (event.target.value.trim() === found.trim()) event.stopPropagation();
    },
    true,
  );

  /* An issue that goes out, a feed that is being polled: what changes, every few seconds; the whole
     page once it has ended. */
  const writing = () => document.activeElement?.matches('input:not([type="checkbox"]), select, textarea');
  const refresh = async () => {
    const place = document.querySelector('[data-desk-live]');
    if (!place) return;
    if (!document.hidden) {
      const here = new URL(window.location.href);
      here.searchParams.set('live', '1');
      const answer = await fetch(here).catch(() => null);
      if (answer?.ok && !answer.redirected) {
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const next = fresh.querySelector('[data-desk-live]');
        if (next?.dataset.deskLive !== place.dataset.deskLive) {
          if (!writing()) {
            window.location.reload();
            return;
          }
          setTimeout(refresh, 3000); // what somebody is typing would be gone
          return;
        }
        fresh.querySelectorAll('[data-desk-part]').forEach((part) => {
          const old = document.querySelector(`[data-desk-part="${part.dataset.deskPart}"]`);
          if (!old || old.innerHTML === part.innerHTML || old.contains(document.activeElement)) return;
          const opened = [...old.querySelectorAll('details')].map((one) => one.open);
          old.replaceChildren(...part.childNodes);
          old.querySelectorAll('details').forEach((one, at) => (one.open = opened[at] ?? false));
        });
      }
    }
    setTimeout(refresh, 3000);
  };
  document.addEventListener('DOMContentLoaded', () => setTimeout(refresh, 3000));

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

  /* A theme's reasons: a tap opens them; a mouse only has to rest there, a key to reach them.
     Escape closes. */
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
    const itself = chip && ('hovered' in chip.dataset || 'focused' in chip.dataset);
    if (itself && event.target.closest('summary')) {
      event.preventDefault(); // it is open already: a click or Enter keeps it so
      delete chip.dataset.hovered;
      delete chip.dataset.focused;
    }
  });
  document.addEventListener('focusin', (event) => {
    const chip = event.target.closest('[data-desk-chip]');
    document.querySelectorAll('[data-desk-chip][data-focused]').forEach((one) => {
      if (one === chip) return;
      one.open = false;
      delete one.dataset.focused;
    });
    if (chip && !chip.open && event.target.matches('summary:focus-visible')) {
      chip.open = true;
      chip.dataset.focused = '';
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    document.querySelectorAll('[data-desk-chip][open]').forEach((one) => {
      one.open = false;
      delete one.dataset.hovered;
      delete one.dataset.focused;
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

  /* Wagtail's rich text has no name for a screen reader: the label above it is one. */
  const nameTexts = () => {
    document.querySelectorAll('[role="textbox"]:not([aria-label])').forEach((box) => {
      const label = box.closest('[data-contentpath]')?.querySelector('label');
      if (label) box.setAttribute('aria-label', label.textContent.replace('*', '').trim());
    });
  };
  document.addEventListener('DOMContentLoaded', () => {
    if (!document.querySelector('[data-desk-weight]')) return;
    nameTexts();
    new MutationObserver(nameTexts).observe(document.body, { childList: true, subtree: true });
  });

  /* A digest's weight, each time Wagtail has saved what was typed. */
  document.addEventListener('w-autosave:success', async () => {
    const line = document.querySelector('[data-desk-weight]');
    if (!line) return;
    try {
      const answer = await fetch(line.dataset.deskWeight);
      if (!answer.ok) return;
      const { kilobytes } = await answer.json();
      line.querySelector('output').value = kilobytes;
      line.querySelector('meter').value = kilobytes;
    } catch {
      /* No connection: the last weight stays. */
    }
  });

  document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('[data-desk-ticks]').forEach((line) => {
      line.hidden = false;
    });
  });
})();
