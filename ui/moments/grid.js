// The grid of moments, grouped by film.

const CONFIDENCE = { strong: 'strong', likely: 'likely', weak: 'weak', none: 'not convincing' }

// What scrolls the page: beyond its edges too, pictures are fetched before they are seen.
function scrollerOf(inside) {
  for (let one = inside.parentElement; one; one = one.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(one).overflowY)) return one
  }
  return null
}

class Moments {
  constructor(root) {
    this.root = root
    this.grid = root.querySelector('.vs-grid')
    this.playAll = root.querySelector('[name="all"]')
    this.player = new Player(root.querySelector('.vs-player'), {
      onmove: (film, time) => this.strips.get(film)?.at(time),
      onend: (moment) => this.playAll.checked && this.stepFrom(moment),
    })
    this.near = new IntersectionObserver((seen) => this.load(seen), {
      root: scrollerOf(root),
      rootMargin: '800px',
    })
    this.strips = new Map()
    this.basket = []
    root.querySelector('[name="next"]').onclick = () => this.step(1)
    root.querySelector('[name="previous"]').onclick = () => this.step(-1)
    root.querySelector('[name="close"]').onclick = () => this.close()
    this.keys = root.querySelector('dialog')
    this.keys.querySelector('dl').append(
      ...KEYS.flatMap(([key, does]) => [element('dt', {}, key), element('dd', {}, does)]),
    )
    listenForKeys(this)
  }

  show(data, { setStateValue }) {
    this.setStateValue = setStateValue
    Object.assign(this, { sprite: data.sprite, whole: data.whole })
    if (data.answer !== this.answer) {
      this.answer = data.answer
      this.films = data.films
      this.basket = data.basket
      this.player.close()
      this.draw()
      if (data.play) this.playRank(data.play)
    }
  }

  get ranked() {
    const every = this.films.flatMap((film) => film.moments.map((moment) => ({ film, moment })))
    return every.sort((one, other) => one.moment.rank - other.moment.rank)
  }

  draw() {
    this.strips.clear()
    this.tiles = new Map()
    this.grid.replaceChildren(...(this.whole ? [this.wholeFilms()] : this.films.map((film) => this.group(film))))
    for (const image of this.grid.querySelectorAll('img')) this.near.observe(image)
  }

  // Whole films are one list, each under its name.
  wholeFilms() {
    const tiles = this.films.map((film) => this.tile(film, film.moments[0], film.name))
    return element('section', { class: 'vs-film vs-every', 'aria-label': 'Films' }, element('ol', {}, ...tiles))
  }

  group(film) {
    const strip = new Strip(film, { onseek: (time) => this.playFilm(film, time) })
    this.strips.set(film, strip)
    const facts = [clock(Math.ceil(film.duration)), film.captured].filter(Boolean).join(' · ')
    return element(
      'section',
      { class: 'vs-film', 'aria-label': film.name, style: `--moments: ${film.moments.length}` },
      element(
        'header',
        {},
        element('h2', { title: film.path }, film.name),
        element('span', { class: 'vs-facts' }, facts),
      ),
      strip.canvas,
      element('ol', {}, ...film.moments.map((moment) => this.tile(film, moment))),
    )
  }

  tile(film, moment, title = null) {
    const name = title ?? `${moment.rank}. ${film.name}, ${span(moment)}`
    const image = element('img', { alt: name, 'data-src': `/still/${film.video}?at=${moment.peak.toFixed(3)}` })
    const scrub = element('span', { class: 'vs-scrub', 'aria-hidden': 'true' })
    const play = element(
      'button',
      { type: 'button', class: 'vs-picture', 'aria-label': `Play ${name}`, onclick: () => this.play(film, moment) },
      image,
      scrub,
      element('span', { class: 'vs-time' }, this.whole ? clock(Math.ceil(moment.end)) : span(moment)),
    )
    this.scrubOver(play, scrub, { film, moment })
    const word = moment.confidence
      ? element('span', { class: `vs-word vs-${moment.confidence}` }, CONFIDENCE[moment.confidence])
      : null
    const picked = element(
      'button',
      { type: 'button', class: 'vs-pick', title: 'Put into the basket', onclick: () => this.toggleBasket(moment) },
      '+ Basket',
    )
    const like = film.like && element(
      'button',
      { type: 'button', title: 'Find more moments like this', onclick: () => this.more(film, moment) },
      'More like this',
    )
    const made = element(
      'li',
      { class: 'vs-tile', value: moment.rank },
      play,
      title
        ? element('div', { class: 'vs-line' }, element('b', {}, title))
        : element('div', { class: 'vs-line' }, element('b', {}, `${moment.rank}`), word, picked),
      ...moment.words.map((words) => element('p', { class: 'vs-said' }, words)),
      element('div', { class: 'vs-foot' }, this.explanation(moment), like),
    )
    this.tiles.set(moment, { made, picked })
    this.markPicked(moment)
    return made
  }

  explanation(moment) {
    return element(
      'details',
      {},
      element('summary', {}, this.whole ? 'Where?' : 'Why this one?'),
      ...moment.why.map((sentence) => element('p', {}, sentence)),
    )
  }

  load(seen) {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue
      this.near.unobserve(target)
      target.onerror = () => target.replaceWith(element('span', { class: 'vs-lost' }, 'No picture'))
      target.src = target.dataset.src
    }
  }

  // The pictures of a moment lie in one image, and the pointer chooses among them.
  scrubOver(play, scrub, { film, moment }) {
    const { columns, rows } = this.sprite
    const leave = () => (scrub.style.opacity = 0)
    play.addEventListener('pointerenter', () => {
      const address = `/sprite/${film.video}?start=${moment.start.toFixed(3)}&end=${moment.end.toFixed(3)}`
      scrub.style.backgroundImage ||= `url("${address}")`
      scrub.style.backgroundSize = `${100 * columns}% ${100 * rows}%`
    })
    play.addEventListener('pointermove', (event) => {
      const box = play.getBoundingClientRect()
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.999)
      const number = Math.floor(share * columns * rows)
      const place = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0)
      const left = place(number % columns, columns)
      scrub.style.backgroundPosition = `${left}% ${place(Math.floor(number / columns), rows)}%`
      scrub.style.opacity = 1
    })
    play.addEventListener('pointerleave', leave)
    play.addEventListener('pointercancel', leave)
  }

  play(film, moment) {
    this.playing = moment
    for (const [one, { made }] of this.tiles) made.classList.toggle('vs-now', one === moment)
    this.player.play(film, moment, moment.start)
    return true
  }

  playFilm(film, time) {
    const moment = film.moments.find((one) => one.start <= time && time < one.end) ?? null
    this.playing = moment
    this.player.play(film, moment, time)
  }

  playRank(rank) {
    const found = this.ranked.find(({ moment }) => moment.rank === rank)
    return found ? this.play(found.film, found.moment) : false
  }

  step(by) {
    const every = this.ranked
    if (!every.length) return false
    const now = every.findIndex(({ moment }) => moment === this.playing)
    const next = every[now < 0 ? 0 : Math.min(Math.max(now + by, 0), every.length - 1)]
    return next.moment === this.playing ? true : this.play(next.film, next.moment)
  }

  stepFrom(moment) {
    if (moment === this.playing) this.step(1)
  }

  close() {
    const { playing } = this
    this.player.close()
    this.tiles.get(playing)?.made.querySelector('.vs-picture').focus()
    for (const { made } of this.tiles.values()) made.classList.remove('vs-now')
    for (const strip of this.strips.values()) strip.at(null)
    this.playing = null
    return true
  }

  // One step in the history, as if the address had been typed.
  more(film, moment) {
    const asked = new URLSearchParams({ like: `${film.like}@${moment.peak.toFixed(1)}` })
    history.pushState(history.state, '', `?${asked}`)
    window.dispatchEvent(new PopStateEvent('popstate', { state: history.state }))
  }

  toggleBasket(moment) {
    const inside = this.basket.includes(moment.clip)
    this.basket = inside
      ? this.basket.filter((clip) => clip !== moment.clip)
      : [...this.basket, moment.clip]
    this.markPicked(moment)
    this.setStateValue('basket', this.basket)
    return true
  }

  markPicked(moment) {
    const { picked } = this.tiles.get(moment)
    const inside = this.basket.includes(moment.clip)
    picked.setAttribute('aria-pressed', inside)
    picked.textContent = inside ? '✓ In the basket' : '+ Basket'
  }

  toSearchField() {
    const field = document.querySelector('input[aria-label="Sentence"]')
    field?.focus()
    field?.select()
    return Boolean(field)
  }

  showKeys() {
    if (this.keys.open) this.keys.close()
    else this.keys.showModal()
    return true
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.vs-moments')
  root.moments ??= new Moments(root)
  root.moments.show(data, { setStateValue })
}
