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

// How well each part of a film fits, the moments in it, and where the player is. Of a sequence, each
// step has a lane.
class Strip {
  constructor(film, { onseek }) {
    this.film = film
    this.time = null
    this.canvas = element('canvas', {
      class: film.curves.length > 1 ? 'vs-strip vs-lanes' : 'vs-strip',
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
    const lanes = Math.max(film.curves.length, 1)
    const tall = height / lanes
    for (let step = 0; step < lanes; step += 1) {
      paint.fillStyle = style.getPropertyValue('--vs-mark')
      for (const moment of film.moments) {
        const { start, end } = moment.parts[step] ?? moment
        paint.fillRect(place(start), step * tall, Math.max(place(end) - place(start), 3 * scale), tall)
      }
      paint.fillStyle = style.color
      const gap = lanes > 1 ? 2 * scale : 0
      drawCurve(paint, film.curves[step] ?? [], { width, bottom: (step + 1) * tall, tall: tall - gap })
    }
    if (this.time === null) return
    paint.fillStyle = style.getPropertyValue('--vs-now')
    paint.fillRect(place(this.time) - scale, 0, 2 * scale, height)
  }
}

function drawCurve(paint, heights, { width, bottom, tall }) {
  const step = width / heights.length
  heights.forEach((value, number) => {
    const high = Math.max(value, 0) * tall
    paint.fillRect(number * step, bottom - high, Math.max(step - 0.5, 0.5), high)
  })
}
