/* The inbox as a list with a reading pane. A decision shows at once and is saved behind it; without
   this file every button is a plain form. */
(() => {
  const { app } = window.wagtail;
  const { Controller } = window.StimulusModule;
  const WIDE = window.matchMedia('(min-width: 68em)');
  const SWITCH = 'newsletter-desk-keys';

  /* Single keys can be switched off, here and in one's account: a speech program may press them by
     itself (WCAG 2.1.4). */
  const switchedOn = () => {
    try {
      return localStorage.getItem(SWITCH) !== 'off';
    } catch {
      return true;
    }
  };
  const keysAreOn = () => window.wagtailConfig?.KEYBOARD_SHORTCUTS_ENABLED !== false && switchedOn();

  const titleOf = (row) => row.querySelector('[data-desk-row] .title-wrapper a');
  const idOf = (row) => row?.querySelector('[data-desk-row]')?.dataset.deskRow;

  class Inbox extends Controller {
    static targets = ['list', 'pane', 'said', 'heading'];
    static values = { leaves: Boolean, undoUrl: String, failed: String };

    connect() {
      this.pages = new Map(); // what was read ahead, by address
      this.done = []; // what can be undone, the latest last
      this.saving = Promise.resolve(); // one after the other, in the order of the decisions
      this.onKey = this.key.bind(this);
      this.onBack = this.back.bind(this);
      this.onWide = () => WIDE.matches && !this.current && this.show(this.rows[0], { focus: false });
      document.addEventListener('keydown', this.onKey);
      window.addEventListener('popstate', this.onBack);
      WIDE.addEventListener('change', this.onWide);
      this.keysLine();
      this.element.classList.add('desk-frame--live');
      this.onWide();
    }

    disconnect() {
      document.removeEventListener('keydown', this.onKey);
      window.removeEventListener('popstate', this.onBack);
      WIDE.removeEventListener('change', this.onWide);
      document.body.classList.remove('desk-reading');
    }

    get rows() {
      return [...this.listTarget.querySelectorAll('tbody tr')];
    }

    /* --- reading */

    open(event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.show(event.target.closest('tr'), { focus: true });
    }

    async show(row, { focus = false, sheet = !WIDE.matches } = {}) {
      if (!row) return;
      this.rows.forEach((one) => one.classList.toggle('desk-row--current', one === row));
      this.current = row;
      if (sheet) this.sheet();
      else row.scrollIntoView({ block: 'nearest' });
      if (!sheet && focus) titleOf(row).focus({ preventScroll: true });
      let html;
      try {
        html = await this.page(row);
      } catch {
        location.href = titleOf(row).href; // says what is wrong: no connection, no login
        return;
      }
      if (this.current !== row) return; // overtaken
      this.paneTarget.hidden = false;
      this.paneTarget.innerHTML = html;
      this.paneTarget.scrollTop = 0;
      const more = this.paneTarget.querySelector('[data-desk-more]');
      if (more) {
        more.open = Boolean(this.moreThemes); // as it was left
        more.addEventListener('toggle', () => {
          this.moreThemes = more.open;
        });
      }
      if (sheet) {
        window.scrollTo(0, 0);
        // The page's own heading is out of sight.
        this.headingTarget.setAttribute('role', 'heading');
        this.headingTarget.setAttribute('aria-level', '1');
        this.headingTarget.focus({ preventScroll: true });
      }
      const next = this.after(row);
      if (next) this.page(next).catch(() => {});
    }

    page(row) {
      const address = titleOf(row).href;
      if (!this.pages.has(address)) {
        const page = fetch(address, { headers: { 'X-Requested-With': 'fetch' } }).then((answer) => {
          if (!answer.ok || answer.redirected) throw new Error(answer.status);
          return answer.text();
        });
        page.catch(() => this.pages.delete(address));
        this.pages.set(address, page);
      }
      return this.pages.get(address);
    }

    after(row) {
      const rows = this.rows;
      const at = rows.indexOf(row);
      return rows[at + 1] || rows[at - 1];
    }

    /* On a phone the article takes the place of the list; the browser's own “back” closes it. */
    sheet() {
      if (document.body.classList.contains('desk-reading')) return;
      this.scrolled = window.scrollY;
      document.body.classList.add('desk-reading');
      history.pushState({ desk: true }, '');
    }

    close() {
      if (history.state?.desk) history.back();
      else this.back();
    }

    back() {
      if (!document.body.classList.contains('desk-reading')) return;
      document.body.classList.remove('desk-reading');
      window.scrollTo(0, this.scrolled || 0);
      const row = this.current;
      if (row?.isConnected) titleOf(row).focus({ preventScroll: true });
    }

    /* --- deciding */

    decide(event) {
      event.preventDefault();
      const button = event.currentTarget;
      const row = this.rows.find((one) => idOf(one) === button.value);
      if (!row) return;
      const data = new FormData(document.getElementById('desk-triage'));
      data.set(button.name, button.value);
      const next = this.after(row);
      const place = { row, before: row.nextElementSibling, parent: row.parentElement };
      const reading = this.current === row;
      if (this.leavesValue) {
        row.remove();
        this.count(-1);
      }
      this.forget(row);
      this.save(document.getElementById('desk-triage').action, data, place);
      if (!reading) return;
      if (next && next !== row) this.show(next, { focus: true });
      else if (this.leavesValue) this.empty();
      else this.saving.then(() => this.show(row));
    }

    /* Sent at once, so that it arrives even if the page is left; told in the order of the clicks. */
    save(address, data, place, { after = null } = {}) {
      const request = after ? after.then(() => this.post(address, data)) : this.post(address, data);
      request.catch(() => {}); // seen below
      this.saving = this.saving.then(async () => {
        try {
          const answer = await request;
          const chips = place.row.querySelector('.desk-chips')?.outerHTML || '';
          const state = place.row.querySelector('.desk-state')?.textContent || '';
          if (answer.undo) this.done.push({ ...place, chips, state, undo: answer.undo });
          if ('chips' in answer) this.chips(place.row, answer.chips);
          if (answer.state && answer.undo && !this.leavesValue) this.state(place.row, answer.state);
          this.say(answer.said, Boolean(answer.undo));
        } catch {
          this.putBack(place);
          this.forget(place.row);
          this.say(this.failedValue, false);
        }
      });
      return this.saving;
    }

    async post(address, data) {
      const answer = await fetch(address, {
        method: 'POST',
        body: data,
        keepalive: true,
        headers: { Accept: 'application/json' },
      });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      return answer.json();
    }

    undo(event) {
      event?.preventDefault();
      // What is still on its way can be undone once it has arrived.
      this.saving = this.saving.then(async () => {
        const last = this.done.pop();
        if (!last) {
          document.querySelector('[data-desk-undo]')?.click(); // of the page before this one
          return;
        }
        const data = new FormData(document.getElementById('desk-triage'));
        data.set('undo', last.undo);
        try {
          const answer = await this.post(this.undoUrlValue, data);
          this.say(answer.said, this.done.length > 0);
          this.putBack(last);
          this.chips(last.row, last.chips);
          this.state(last.row, last.state);
          this.forget(last.row);
          this.show(last.row, { focus: true, sheet: this.sheetIsOpen });
        } catch {
          this.done.push(last);
          this.say(this.failedValue, true);
        }
      });
    }

    get sheetIsOpen() {
      return document.body.classList.contains('desk-reading');
    }

    putBack({ row, before, parent }) {
      if (!row || row.isConnected || !parent) return;
      parent.insertBefore(row, before?.parentElement === parent ? before : null);
      this.count(1);
    }

    theme(event) {
      event.preventDefault();
      const { submitter } = event;
      const row = this.current;
      const data = new FormData(event.target, submitter);
      const on = submitter.name === 'give';
      const more = submitter.closest('details');
      if (more) more.open = true; // a key gave it: let it be seen
      submitter.setAttribute('aria-pressed', String(on));
      submitter.name = on ? 'take' : 'give';
      this.forget(row);
      // One after the other: each is a change of what the one before left.
      this.save(event.target.getAttribute('action'), data, { row }, { after: this.saving });
    }

    /* --- what is on the screen */

    forget(row) {
      if (row) this.pages.delete(titleOf(row).href);
    }

    chips(row, html) {
      const cell = row.querySelector('[data-desk-row]');
      cell.querySelector('.desk-chips')?.remove();
      const above = cell.querySelector('.desk-excerpt') || cell.querySelector('.desk-meta');
      above.insertAdjacentHTML('afterend', html);
    }

    state(row, words) {
      row.querySelector('.desk-state')?.remove();
      if (!words) return;
      const label = document.createElement('span');
      label.className = 'w-status w-status--label desk-state';
      label.textContent = words;
      row.querySelector('.desk-meta').append(label);
    }

    count(step) {
      document.querySelectorAll('[data-desk-count]').forEach((line) => {
        const count = Number(line.dataset.deskCount) + step;
        line.dataset.deskCount = count;
        const number = count.toLocaleString(document.documentElement.lang);
        line.textContent = (count === 1 ? line.dataset.one : line.dataset.many).replace('%', number);
      });
    }

    async empty() {
      await this.saving;
      if (!this.rows.length) location.replace(location.href);
    }

    say(words, undoable) {
      const { undo, close } = this.saidTarget.dataset;
      const button = (label, act) => {
        const made = document.createElement('button');
        made.type = 'button';
        made.className = 'button button-small button-secondary';
        made.textContent = label;
        made.addEventListener('click', act);
        return made;
      };
      const text = document.createElement('span');
      text.textContent = words;
      const parts = [text];
      if (undoable) parts.push(button(undo, (event) => this.undo(event)));
      parts.push(button(close, () => this.saidTarget.replaceChildren()));
      this.saidTarget.replaceChildren(...parts);
    }

    /* --- keys */

    key(event) {
      if (!keysAreOn() || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest?.('input, textarea, select, [contenteditable], [role="dialog"]')) return;
      const press = (selector) => this.paneTarget.querySelector(selector)?.click();
      const step = (by) => {
        const rows = this.rows;
        const at = rows.indexOf(this.current);
        this.show(rows[Math.max(0, Math.min(at + by, rows.length - 1))], { focus: true });
      };
      const act = {
        j: () => step(1),
        k: () => step(-1),
        a: () => this.press('accepted'),
        x: () => this.press('rejected'),
        z: () => this.undo(),
      }[event.key];
      if (act) act();
      else if (/^[1-9]$/.test(event.key)) press(`[data-key="${event.key}"]`);
      else return;
      event.preventDefault();
    }

    press(name) {
      this.current?.querySelector(`.desk-decision button[name="${name}"]`)?.click();
    }

    keysLine() {
      const line = document.querySelector('[data-desk-keys]');
      if (!line) return;
      line.hidden = window.wagtailConfig?.KEYBOARD_SHORTCUTS_ENABLED === false;
      const button = line.querySelector('[data-desk-keys-toggle]');
      const say = () => {
        button.textContent = switchedOn() ? button.dataset.off : button.dataset.on;
        line.querySelector('[data-desk-keys-list]').hidden = !switchedOn();
      };
      button.onclick = () => {
        try {
          localStorage.setItem(SWITCH, switchedOn() ? 'off' : 'on');
        } catch {
          /* Private windows may refuse; the keys then stay on. */
        }
        say();
      };
      say();
      const help = document.getElementById('desk-keys-help');
      const table = document.querySelector('#keyboard-shortcuts-dialog table');
      if (help && table && !table.querySelector('[data-desk-help]')) {
        const body = help.content.firstElementChild.cloneNode(true);
        body.dataset.deskHelp = '';
        table.insertBefore(body, table.tBodies[0]); // the nearest at hand first
      }
    }
  }

  app.register('desk-inbox', Inbox);
})();
