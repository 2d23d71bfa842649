// Elements, times, and the strip of a film. Texts are set as text, never as markup.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value)
    else made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (number) => String(number).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

function span(moment) {
  return `${clock(moment.start)}–${clock(Math.ceil(moment.end))}`
}

// How well each part of a film fits, the moments in it, and where the player is.
class Strip {
  constructor(film, { onseek }) {
    this.film = film
    this.time = null
    this.canvas = element('canvas', {
      class: 'vs-strip',
      role: 'img',
      'aria-label':
        `How well each part of ${film.name} fits. Moments at ` +
        `${film.moments.map(span).join(', ')}. A click plays from there.`,
      onclick: (event) => {
        const box = this.canvas.getBoundingClientRect()
        onseek(((event.clientX - box.left) / box.width) * film.duration)
      },
    })
    this.resized = new ResizeObserver(() => this.draw())
    this.resized.observe(this.canvas)
  }

  at(time) {
    if (time === this.time) return
    this.time = time
    this.draw()
  }

  draw() {
    const { canvas, film } = this
    const scale = window.devicePixelRatio || 1
    const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale]
    if (!width) return
    Object.assign(canvas, { width, height })
    const paint = canvas.getContext('2d')
    const style = getComputedStyle(canvas)
    const place = (seconds) => (seconds / Math.max(film.duration, 0.001)) * width
    paint.fillStyle = style.getPropertyValue('--vs-ground')
    paint.fillRect(0, 0, width, height)
    paint.fillStyle = style.getPropertyValue('--vs-mark')
    for (const moment of film.moments) {
      const left = place(moment.start)
      paint.fillRect(left, 0, Math.max(place(moment.end) - left, 3 * scale), height)
    }
    this.drawCurve(paint, { width, height, colour: style.color })
    if (this.time === null) return
    paint.fillStyle = style.getPropertyValue('--vs-now')
    paint.fillRect(place(this.time) - scale, 0, 2 * scale, height)
  }

  drawCurve(paint, { width, height, colour }) {
    const heights = this.film.curve
    if (!heights.length) return
    paint.fillStyle = colour
    const step = width / heights.length
    heights.forEach((value, number) => {
      const tall = Math.max(value, 0) * height
      paint.fillRect(number * step, height - tall, Math.max(step - 0.5, 0.5), tall)
    })
  }
}
