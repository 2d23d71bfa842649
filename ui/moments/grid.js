// The grid of moments, grouped by film.

const CONFIDENCE = { strong: 'strong', likely: 'likely', weak: 'weak', none: 'not convincing' }

function confidence({ confidence: word }) {
  return word ? element('span', { class: `vs-word vs-${word}` }, CONFIDENCE[word]) : null
}

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
    if (data.answer === this.answer) return
    const another = data.question !== this.question
    const { answer, question, films, basket } = data
    Object.assign(this, { answer, question, films, basket })
    this.draw()
    if (another) {
      this.player.close()
      this.playFromAddress()
    } else if (this.player.open) this.goOn()
  }

  // The catalog has grown, or more moments are shown: a film that plays goes on.
  goOn() {
    const { film: old, moment } = this.player
    const film = this.films.find(({ video }) => video === old.video)
    if (!film) return
    this.markPlaying(film.moments.find(({ clip }) => clip === moment?.clip) ?? null)
    this.player.goOn(film, this.playing)
  }

  playFromAddress() {
    const play = new URLSearchParams(location.search).get('play') ?? ''
    const [, video, time] = /^(\d{1,15})@(\d{1,9}(?:\.\d+)?)$/.exec(play) ?? []
    const film = this.films.find((one) => one.video === Number(video))
    if (film) this.playFilm(film, Number(time))
  }

  // What plays stands in the address, so that a moment can be kept and sent.
  noteInAddress(play) {
    const address = new URL(location)
    if (play) address.searchParams.set('play', play)
    else address.searchParams.delete('play')
    history.replaceState(history.state, '', address)
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
    const word = confidence(moment)
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
      ...moment.parts.map((part) => this.part(film, moment, part)),
      ...moment.words.map((words) => element('p', { class: 'vs-said' }, words)),
      element('div', { class: 'vs-foot' }, this.explanation(moment), like),
    )
    this.tiles.set(moment, { made, picked })
    this.markPicked(moment)
    return made
  }

  // One step of a sequence.
  part(film, moment, part) {
    const onclick = () => this.play(film, moment, part.start)
    return element(
      'div',
      { class: 'vs-line vs-part' },
      element('button', { type: 'button', onclick }, `${span(part)} ${part.what}`),
      confidence(part),
    )
  }

  explanation(moment) {
    return element(
      'details',
      {},
      element('summary', {}, this.whole ? 'Where?' : 'Why this one?'),
      ...moment.why.map((sentence) => element('p', {}, sentence)),
    )
  }

  // The nearest to the middle of the window come first; what was scrolled away is asked no more.
  load(seen) {
    const middle = window.innerHeight / 2
    const away = ({ boundingClientRect: { top, bottom } }) => Math.abs((top + bottom) / 2 - middle)
    for (const { isIntersecting, target } of seen.sort((one, other) => away(one) - away(other))) {
      if (target.complete && target.naturalWidth) this.near.unobserve(target)
      else if (!isIntersecting) target.removeAttribute('src')
      else {
        target.onerror = () => target.replaceWith(element('span', { class: 'vs-lost' }, 'No picture'))
        target.src = target.dataset.src
      }
    }
  }

  // The pictures of a moment lie in one image, and the pointer chooses among them.
  scrubOver(play, scrub, { film, moment }) {
    const { columns, rows } = this.sprite
    const address = `/sprite/${film.video}?start=${moment.start.toFixed(3)}&end=${moment.end.toFixed(3)}`
    const image = new Image()
    image.onload = () => (scrub.style.backgroundImage = `url("${address}")`)
    scrub.style.backgroundSize = `${100 * columns}% ${100 * rows}%`
    const leave = () => {
      scrub.style.opacity = 0
      if (!scrub.style.backgroundImage) image.removeAttribute('src') // nobody waits for it any more
    }
    play.addEventListener('pointerenter', () => {
      if (!scrub.style.backgroundImage) image.src = address
    })
    play.addEventListener('pointermove', (event) => {
      const box = play.getBoundingClientRect()
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.999)
      const number = Math.floor(share * columns * rows)
      const place = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0)
      const left = place(number % columns, columns)
      scrub.style.backgroundPosition = `${left}% ${place(Math.floor(number / columns), rows)}%`
      scrub.style.opacity = scrub.style.backgroundImage ? 1 : 0
    })
    play.addEventListener('pointerleave', leave)
    play.addEventListener('pointercancel', leave)
  }

  play(film, moment, time = moment.start) {
    this.markPlaying(moment)
    this.noteInAddress(`${film.video}@${time.toFixed(3)}`)
    this.player.play(film, moment, time)
    return true
  }

  playFilm(film, time) {
    const moment = film.moments.find((one) => one.start - 0.001 <= time && time < one.end) ?? null
    this.play(film, moment, time)
  }

  playEvery() {
    this.playAll.checked = !this.playAll.checked
    return this.player.open || this.step(1)
  }

  markPlaying(moment) {
    this.playing = moment
    for (const [one, { made }] of this.tiles) made.classList.toggle('vs-now', one === moment)
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
    this.noteInAddress(null)
    this.tiles.get(playing)?.made.querySelector('.vs-picture').focus()
    for (const strip of this.strips.values()) strip.at(null)
    this.markPlaying(null)
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
