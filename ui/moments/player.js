// The player: a whole film, with sound, from a second on. What the browser cannot play comes from
// the server as H.264, through MediaSource, from the wanted second.

const AHEAD = 30 // seconds that are fetched before they are shown
const BEHIND = 60 // seconds that are kept after they were shown

class LiveSource {
  constructor(video, { url, mime, duration, onproblem }) {
    Object.assign(this, { video, url, mime, duration, onproblem })
    this.onseeking = () => this.follow()
    video.addEventListener('seeking', this.onseeking)
  }

  async start(at) {
    this.source = new MediaSource()
    const opened = new Promise((done) => this.source.addEventListener('sourceopen', done, { once: true }))
    this.address = URL.createObjectURL(this.source)
    this.video.src = this.address
    await opened
    this.source.duration = this.duration
    this.buffer = this.source.addSourceBuffer(this.mime)
    this.fetchFrom(at)
    this.video.currentTime = at
  }

  follow() {
    if (!this.buffer) return
    const { currentTime } = this.video
    const { buffered } = this.video
    for (let part = 0; part < buffered.length; part += 1) {
      if (buffered.start(part) - 0.3 <= currentTime && currentTime < buffered.end(part)) return
    }
    if (this.begun !== undefined && currentTime >= this.begun && currentTime < this.begun + 1) return
    this.fetchFrom(currentTime)
  }

  async fetchFrom(at) {
    this.fetching?.abort()
    const fetching = new AbortController()
    Object.assign(this, { fetching, begun: at })
    try {
      await this.idle()
      if (fetching.signal.aborted) return
      this.buffer.abort()
      this.buffer.timestampOffset = at
      const answer = await fetch(`${this.url}?start=${at.toFixed(3)}`, { signal: fetching.signal })
      if (!answer.ok) throw new Error((await answer.json()).error)
      const reader = answer.body.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (fetching.signal.aborted) return
        if (done) break
        await this.append(value, fetching.signal)
      }
      await this.idle()
      this.goOn(at, fetching.signal)
    } catch (problem) {
      if (!fetching.signal.aborted) this.onproblem(problem.message)
    }
  }

  // The server may end a film before its end, when others want to see one: then the rest is asked.
  goOn(at, signal) {
    if (signal.aborted || this.source.readyState !== 'open') return
    const reached = this.reached(at)
    if (reached > this.duration - 1 || reached < at + 0.5) this.source.endOfStream()
    else this.fetchFrom(reached)
  }

  reached(at) {
    const { buffered } = this.video
    let end = at
    for (let part = 0; part < buffered.length; part += 1) {
      if (buffered.start(part) <= end + 0.5) end = Math.max(end, buffered.end(part))
    }
    return end
  }

  async append(bytes, signal) {
    await this.idle()
    while (!signal.aborted && this.ahead() > AHEAD) await new Promise((go) => setTimeout(go, 250))
    const old = this.video.currentTime - BEHIND
    if (old > 0 && this.video.buffered.length && this.video.buffered.start(0) < old) {
      this.buffer.remove(0, old)
      await this.idle()
    }
    if (!signal.aborted) this.buffer.appendBuffer(bytes)
  }

  ahead() {
    const { buffered, currentTime } = this.video
    for (let part = 0; part < buffered.length; part += 1) {
      if (buffered.start(part) <= currentTime + 0.3 && currentTime <= buffered.end(part)) {
        return buffered.end(part) - currentTime
      }
    }
    return 0
  }

  async idle() {
    while (this.buffer.updating) {
      await new Promise((done) => this.buffer.addEventListener('updateend', done, { once: true }))
    }
  }

  close() {
    this.fetching?.abort()
    this.video.removeEventListener('seeking', this.onseeking)
    URL.revokeObjectURL(this.address)
  }
}

// Whether the browser plays the file itself. Of two streams of pictures it shows the first one.
function playsItself(video, facts) {
  return facts.plays_best && Boolean(facts.type) && video.canPlayType(facts.type) === 'probably'
}

class Player {
  constructor(root, { onmove, onend }) {
    Object.assign(this, { root, onmove, onend })
    this.known = new Map()
    this.title = root.querySelector('.vs-playing')
    this.problem = root.querySelector('.vs-trouble')
    this.video = root.querySelector('video')
    this.strip = null
    this.video.addEventListener('timeupdate', () => this.moved())
    this.video.addEventListener('error', () => this.failed())
  }

  get open() {
    return !this.root.hidden
  }

  async play(film, moment, at) {
    const again = this.film === film && this.open
    Object.assign(this, { film, moment })
    this.root.hidden = false
    this.problem.textContent = ''
    this.title.textContent = moment
      ? `${moment.rank}. ${film.name}, ${span(moment)}`
      : `${film.name}, from ${clock(at)}`
    this.video.setAttribute('aria-label', this.title.textContent)
    if (!again) {
      this.showStrip(film)
      await this.load(film, at)
      if (this.film !== film) return // it was closed, or another one was chosen
    } else this.seek(at)
    this.video.play().catch(() => {}) // a browser that wants a click first shows its own button
    this.video.focus({ preventScroll: true })
    this.root.scrollIntoView({ block: 'nearest' })
  }

  // The same film, in another answer.
  goOn(film, moment) {
    Object.assign(this, { film, moment })
    this.showStrip(film)
  }

  showStrip(film) {
    this.strip?.canvas.remove()
    this.strip = new Strip(film, { onseek: (time) => this.seek(time) })
    this.video.after(this.strip.canvas)
  }

  async load(film, at) {
    this.live?.close()
    this.live = null
    this.wanted = at
    try {
      const facts = await this.facts(film)
      if (this.film !== film) return
      if (playsItself(this.video, facts)) this.loadFile(film, at)
      else await this.loadLive(film, facts, at)
    } catch (problem) {
      this.tell(problem.message)
    }
  }

  async facts(film) {
    if (!this.known.has(film.video)) {
      const answer = await fetch(`/playable/${film.video}`)
      const facts = await answer.json()
      if (!answer.ok) throw new Error(facts.error)
      this.known.set(film.video, facts)
    }
    return this.known.get(film.video)
  }

  loadFile(film, at) {
    const { video } = this
    video.src = `/film/${film.video}`
    const begin = () => {
      // Sound alone: the browser lacks the decoder for the pictures, and does not say so.
      if (!video.videoWidth) this.loadLiveInstead()
      else video.currentTime = at
    }
    video.addEventListener('loadedmetadata', begin, { once: true })
  }

  async loadLive(film, facts, at) {
    if (!MediaSource.isTypeSupported(facts.live_type)) throw new Error('this browser cannot show it')
    this.live = new LiveSource(this.video, {
      url: `/live/${film.video}`,
      mime: facts.live_type,
      duration: facts.duration,
      onproblem: (words) => this.tell(words),
    })
    await this.live.start(at)
  }

  loadLiveInstead() {
    const { film } = this
    const facts = this.known.get(film.video)
    this.loadLive(film, facts, this.wanted).then(() => this.video.play().catch(() => {}))
  }

  failed() {
    if (this.live || !this.film || !this.video.error) return
    this.loadLiveInstead()
  }

  seek(time) {
    this.wanted = Math.max(0, Math.min(time, this.film.duration))
    this.video.currentTime = this.wanted
  }

  moved() {
    if (!this.open) return
    this.strip?.at(this.video.currentTime)
    this.onmove(this.film, this.video.currentTime)
    if (this.moment && this.video.currentTime >= this.moment.end) this.onend(this.moment)
  }

  tell(words) {
    this.problem.textContent = words ? `It cannot be played: ${words}.` : 'It cannot be played.'
  }

  close() {
    this.live?.close()
    this.live = null
    this.video.removeAttribute('src')
    this.video.load()
    this.film = this.moment = null
    this.root.hidden = true
  }
}
